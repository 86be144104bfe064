"""A run's folder on the hub, as a dataset with a card: without secrets, and without texts that are not to be passed on."""

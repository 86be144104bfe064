"""A run of generation: settings, plan, queue, workers, launcher, progress."""

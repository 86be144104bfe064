"""A page in the browser over one or many runs, on this machine only, live while they go."""

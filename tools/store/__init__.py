"""What is on disk: files, generations, manifests, verdicts."""

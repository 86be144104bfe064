"""Is it right: one session for every grader."""

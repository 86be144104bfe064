"""Short texts as answers: what a response says at last, against the right text, equal after a few harmless changes."""

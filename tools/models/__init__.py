"""How a model wants to be asked and how it thinks: presets, prompts, reasoning formats."""

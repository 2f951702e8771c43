"""Runs registries side by side and prints what it measured, good or bad: `python -m bench`."""

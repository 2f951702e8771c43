"""Rows of licensed distribution: what projects publish, to whom, and what came of it. `resources` says how all work."""

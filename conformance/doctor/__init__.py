"""Looks at a registry's deployment from outside, as its clients do, and says what to change."""

"""Who asks, and what they may do. Knows no HTTP."""

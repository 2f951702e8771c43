"""Content-addressed bytes: the `driver` contract and the drivers that keep it."""

"""How the collector does on a large store, and what requests notice of it; `make bench-gc`."""

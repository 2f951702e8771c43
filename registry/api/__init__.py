"""HTTP: parse, one domain call, render. The only place that knows statuses, headers and wire codes."""

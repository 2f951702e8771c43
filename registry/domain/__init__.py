"""Use cases, one module per noun of the specification. Knows no HTTP and no concrete engine or driver."""

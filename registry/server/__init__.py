"""The processes of the daemon: a supervisor that owns the port, and workers that answer requests."""

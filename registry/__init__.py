"""Berth, an OCI registry: the daemon, its HTTP surface and its command line."""

__version__ = "0.1.0"

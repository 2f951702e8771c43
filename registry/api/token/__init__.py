"""The token service over HTTP."""

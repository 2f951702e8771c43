"""A black box that judges registries over HTTP. Imports nothing else of Berth."""

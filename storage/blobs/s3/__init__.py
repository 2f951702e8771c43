"""Blobs in an S3-compatible store: `driver` is where to begin, `layout` says what lies where."""

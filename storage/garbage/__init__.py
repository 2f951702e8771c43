"""The collector's work on rows and bytes: what nothing needs any more goes, while pushes go on."""

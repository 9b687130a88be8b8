"""The vendored document, its errata and its quotes."""

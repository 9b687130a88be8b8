"""Whether the published document still says what the vendored one says."""

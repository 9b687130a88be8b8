"""Compare the published document with the vendored one."""

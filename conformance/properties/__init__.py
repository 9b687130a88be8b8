"""Property tests against a server: generated requests, and the smallest ones that show a breach."""

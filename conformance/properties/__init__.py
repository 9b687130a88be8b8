"""Property tests on the wire: generated requests, and the smallest of them that shows a breach."""

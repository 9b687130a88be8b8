"""One run: its options, its target, its consent, and the asking."""

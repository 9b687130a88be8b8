"""One run: its options, its target, consent to write, and sending the requests."""

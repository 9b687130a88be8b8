"""One run of the suite: its options, its target, the user's consent to change a server, and sending the requests."""

"""One run of the suite: options, target, the user's consent to changes on the server, and sending the requests."""

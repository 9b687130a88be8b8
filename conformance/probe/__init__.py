"""Asking: the bounded HTTP client and the plan of requests. Knows no rule of the contract's body."""

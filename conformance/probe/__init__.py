"""The bounded HTTP client and the plan of requests. This package knows no rule about bodies."""

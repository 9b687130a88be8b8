"""The HTTP client with its limits, and the plan of requests. No module here decides whether a response is valid."""

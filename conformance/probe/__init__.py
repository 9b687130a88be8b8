"""The HTTP client with its limits, and the plan of requests. No module here knows what a valid body is."""

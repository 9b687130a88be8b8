"""A conforming endpoint, and the same endpoint with one fault at a time. Shares no code with what judges it."""

"""A conforming endpoint, and the same endpoint with one fault at a time. It shares no code with the contract."""

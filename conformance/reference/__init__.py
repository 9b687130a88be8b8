"""A server that conforms, and the same server with one fault at a time. It shares no code with ``contract/``."""

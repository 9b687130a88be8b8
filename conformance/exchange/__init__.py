"""Requests and responses: their headers, content codings, redaction of keys, and recordings in files."""

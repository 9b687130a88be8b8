"""Helpers for text: strict JSON, JSON Pointers, escaping of untrusted text, credentials, atomic writes."""

"""JSON text, JSON Pointers, escaping of untrusted text, atomic writes."""

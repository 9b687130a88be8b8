"""JSON text, JSON Pointers, untrusted text made safe to show, files written whole."""

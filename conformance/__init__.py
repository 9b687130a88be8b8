"""Conformance suite for ``GET /api/queue`` of ComfyUI and Comfy Cloud."""

__version__ = "0.1.0"

"""Registers of known deviations."""

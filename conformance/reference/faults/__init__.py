"""Faults: endpoints that each break one clause. Tests use them to show that the clause detects the fault."""

from conformance.reference.faults import (
    boards,
    conditions,
    disguised,
    errors,
    hidden,
    items,
    jobs,
    keys,
    removals,
    replies,
    strain,
    text,
    wire,
)
from conformance.reference.faults.registry import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "boards",
    "conditions",
    "disguised",
    "errors",
    "hidden",
    "items",
    "jobs",
    "keys",
    "removals",
    "replies",
    "strain",
    "text",
    "wire",
]

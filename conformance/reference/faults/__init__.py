"""Faults: endpoints that each break one clause, so that tests can show that the clause catches it."""

from conformance.reference.faults import (
    boards,
    conditions,
    disguised,
    errors,
    hidden,
    items,
    jobs,
    keys,
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
    "replies",
    "strain",
    "text",
    "wire",
]

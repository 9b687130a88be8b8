"""Faults, each named by its lie: endpoints that break one clause, so that a check can be shown to catch it."""

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

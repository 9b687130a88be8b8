"""The exception for bad input."""

from __future__ import annotations


class UsageProblem(Exception):
    """The user's input is not valid. The message is one line: what is wrong, and what to do."""

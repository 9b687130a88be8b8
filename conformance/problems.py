"""What is wrong with what the user typed."""

from __future__ import annotations


class UsageProblem(Exception):
    """What the user typed cannot be run. Its text is one line: what is wrong, and what to do."""

"""``comfy-conformance check --all --list``: list the targets of a source without sending anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from conformance.text.safe import line


def list_targets(name: str, only: Sequence[str], form: str) -> int:
    """Validate a source of targets and print its targets as text, or as one line of JSON for a CI system's matrix."""
    from conformance.fleet.sources import selected_targets, source_of

    with source_of(name, sys.stdin.buffer, only=frozenset(only)) as source:
        found = selected_targets(source)
    if form == "json":
        click.echo(json.dumps([{"name": one.name, "target": one.url, "keys": sorted(one.variables)} for one in found]))
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        key = ", ".join(sorted(one.variables)) or one.options.get("api_key_file") or "no key"
        click.echo(line(f"{one.name:<{width}}  {one.url}  {one.dialect}  {key}"))
    return 0

"""``comfy-conformance check --all --list``: the targets of a file, without sending anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from conformance.cli.check_all import chosen
from conformance.cli.shared import refusal
from conformance.problems import UsageProblem
from conformance.text.safe import line


def list_targets(file: Path, only: Sequence[str], form: str) -> int:
    """Validate a targets file and list it: as text, or as one line of JSON for the matrix of a CI system."""
    try:
        found = chosen(file, only)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    if form == "json":
        click.echo(json.dumps([{"name": one.name, "target": one.url, "keys": sorted(one.variables)} for one in found]))
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        key = ", ".join(sorted(one.variables)) or one.options.get("api_key_file") or "no key"
        click.echo(line(f"{one.name:<{width}}  {one.url}  {one.options.get('dialect', 'cloud')}  {key}"))
    return 0

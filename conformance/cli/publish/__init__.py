"""``comfy-conformance publish``: write files for others to read or use, such as a site or a badge."""

from __future__ import annotations

from typing import Final

import click

from conformance.cli import VERBS, Verbs

PUBLISHED: Final = {
    "site": "Write a static site of a history: targets, runs and changes.",
    "badge": "Write a badge of a run: an SVG, and the JSON for shields.io.",
    "report": "Write the overview of a run over many targets, or the report of one of them.",
    "corpus": "Write the responses of every fault and variant, with their expected results.",
}
"""The commands of ``publish`` with their short help. A command is the function of the same name in the module of the
same name.
"""


@click.group(cls=Verbs, verbs=PUBLISHED, home="conformance.cli.publish", short_help=VERBS["publish"])
def publish() -> None:
    """Write a site, a badge, the report of one endpoint, or the test corpus."""

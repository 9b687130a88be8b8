"""The page on recorded servers says what ``judge`` says of their recordings today."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_says_what_judging_the_recordings_says() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "servers_in_the_wild.py"))
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["page"](), "run python tools/servers_in_the_wild.py"


def test_each_server_has_recordings_that_show_jobs() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "servers_in_the_wild.py"))
    for server in tool["SERVERS"]:
        counts = tool["counted"](server.folder, tool["Dialect"].CLOUD)
        assert counts["item.element-order"].broken
        assert counts["item.five-elements"].asked
        assert not counts["item.five-elements"].broken

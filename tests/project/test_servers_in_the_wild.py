"""The recorded servers show jobs. ``test_docs.py`` compares the page about them."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_server_has_recordings_that_show_jobs() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "servers_in_the_wild.py"))
    for server in tool["SERVERS"]:
        counts = tool["counted"](server.folder, tool["Dialect"].CLOUD)
        assert counts["item.element-order"].broken
        assert counts["item.five-elements"].judged
        assert not counts["item.five-elements"].broken

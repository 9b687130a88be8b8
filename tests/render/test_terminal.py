"""The lines at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from conformance.judge.report import Report
from conformance.render.terminal import COLOUR, Style, summary_lines
from helpers import report_samples as sample


def test_what_was_broken_then_the_counts_then_the_verdict() -> None:
    """In the order in which a terminal is read: the last line is the verdict."""
    lines = [text for _, text in summary_lines(sample.failing())]
    assert lines[0].startswith("FAILED item.create-time.milliseconds: ")
    assert lines[0].endswith("(broken in 3 of 14 answers)")
    assert any(text.strip() == "… 41 more like this, last at /queue_pending/41/4/create_time" for text in lines)
    assert lines[-2].startswith("Exercised 24 of 27 clauses: 2 failed, 1 error, 2 warnings")
    assert (
        lines[-1]
        == "Non-conformant: 2 must clauses broken: http.content-type, item.create-time.milliseconds [1 waived]"
    )


def test_what_was_not_exercised_is_named() -> None:
    """The core clauses, and the flags beside the verdict."""
    lines = [text for _, text in summary_lines(sample.idle())]
    assert any("item.prompt-id.uuid" in text for text in lines)
    assert "[embedded reference endpoint, not a server of yours] [partial run]" in lines[-1]


@pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
def test_no_line_acts(make: Callable[[], Report]) -> None:
    """Printable, one line each, no command of a CI system, and only styles that are known."""
    for style, text in summary_lines(make()):
        assert style in get_args(Style)
        assert text.isprintable()
        assert not text.lstrip().startswith("::")
        assert "##vso[" not in text
    assert set(COLOUR) <= set(get_args(Style))

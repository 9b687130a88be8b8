"""The summary of a CI step says what matters, and lets nothing of the server act."""

from __future__ import annotations

from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from conformance.render.markdown import code, plain, render_markdown
from helpers import report_samples as sample


def tokens(text: str) -> list[str]:
    """Return the kinds of all tokens that a renderer for GitHub's Markdown sees."""
    parsed = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"]).parse(text)
    return [child.type for token in parsed for child in (token, *(token.children or ()))]


def cells(text: str) -> list[list[str]]:
    """Return the texts of the inline parts of each cell, code spans among them."""
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    return [
        [child.content for child in token.children or () if child.content]
        for before, token in pairwise(parsed)
        if before.type in {"td_open", "th_open"}
    ]


def test_the_verdict_comes_first_and_the_findings_follow() -> None:
    """Verdict, counts, what was broken with its first finding, the evidence by file name."""
    text = render_markdown(sample.failing())
    assert text.startswith("## ❌ Non-conformant (1 waived)\n")
    assert "Checked 24 of 26 clauses that this run could check." in text
    assert "`item.create-time.milliseconds`" in text
    assert "`/queue_pending/0/4/create_time in response x1`" in text
    assert "42 places in response x1" in text
    assert "Multiply the value by 1,000" in text
    assert "`curl -sS -i" in text
    assert "`index.html`" in text
    assert text.index("http.content-type") < text.index("envelope.both-lists")


def test_what_was_not_checked_is_counted_by_what_it_needs() -> None:
    """An idle queue is one line, with what to do next."""
    text = render_markdown(sample.idle())
    assert "11 not checked: 10 need a job in the queue, 1 needs a response that the server did not send." in text
    assert "| queue | 10 of 21 |" in text
    assert "Queue at least one running and two pending jobs" in text
    assert "embedded reference endpoint" in text


@pytest.mark.parametrize("nasty", sample.HOSTILE)
def test_a_code_span_in_a_cell_shows_all_of_it(nasty: str) -> None:
    """The whole text is one code span in one cell."""
    *_, cell = cells(f"| a |\n|---|\n| {code(nasty)} |")
    assert len(cell) == 1
    assert tokens(f"| a |\n|---|\n| {code(nasty)} |").count("code_inline") == 1


def test_plain_words_stay_readable() -> None:
    """Ordinary sentences are not littered with escapes."""
    sentence = "2 clauses of level must are broken, in 3 of 14 answers."
    assert plain(sentence) == sentence


def test_it_stays_within_bounds() -> None:
    """GitHub refuses a summary of more than 1 MiB."""
    assert len(render_markdown(sample.hostile()).encode()) < 200_000

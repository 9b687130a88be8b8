"""The page as text: whole, self-contained, and nothing of the server in it but text."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from conformance.judge.report import Report
from conformance.render.html import render_html
from helpers import history_samples
from helpers import report_samples as sample


class Reader(HTMLParser):
    """Collects tags, attributes, ids and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.pieces: list[str] = []
        self.feed(page)
        self.text = "".join(self.pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the tag and its attributes."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Remember the text."""
        self.pieces.append(data)

    def all(self, name: str) -> list[str]:
        """Return the values of one attribute."""
        return [value for key, value in self.attributes if key == name]


REPORTS = {**sample.REPORTS, **history_samples.REPORTS}
ALL = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)


@ALL
def test_it_is_self_contained_and_links_lead_somewhere(make: Callable[[], Report]) -> None:
    """Nothing is loaded; each link leads to a place in the page or to an RFC; ids are unique."""
    page = Reader(render_html(make()))
    ids = page.all("id")
    if make is not sample.hostile:
        assert len(ids) == len(set(ids))
    for link in page.all("href"):
        if link.startswith("#"):
            assert link[1:] in ids, link
        else:
            assert link.startswith(("https://www.rfc-editor.org/rfc/", "data:image/svg+xml,"))
    assert not page.all("src")
    assert not page.all("style")
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not {"img", "iframe", "object", "base"} & set(page.tags)


@ALL
def test_the_policy_names_the_inline_code_by_hash(make: Callable[[], Report]) -> None:
    """Nothing but our own style and script may run."""
    page = render_html(make())
    (policy,) = [value for value in Reader(page).all("content") if "default-src" in value]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'" in policy


def test_a_reader_finds_what_they_need() -> None:
    """Verdict, reason, counts, quote and source, evidence, the curl line, the ledger, the percentiles."""
    text = re.sub(r"\s+", " ", Reader(render_html(sample.failing())).text)
    for wanted in (
        "Non-conformant",
        "2 must clauses broken: http",
        "Checked 24 of 26 clauses that this run could check.",
        "broken in 3 of 14 responses",
        "Prompt ID (UUID)",
        "openapi-cloud.get-queue.yaml#/components/schemas/QueueItem",
        "RFC 9110 §8.3",
        "Inferred. The RFC does not name a queue.",
        "/queue_pending/0/4/create_time",
        "42 places in response x1",
        "41 more in the same response, last at",
        "Also in 3 other responses:",
        "The server sends seconds.",
        "curl -sS -i",
        "X-API-Key: $COMFY_API_KEY",
        "Half of the responses within",
        "5.4 ms",
        "Multiply the value by 1,000 before you send it.",
        "Finding 1 of 6 · 5 more below",
        "gateway issue 481",
        "What this verdict means, and what it does not",
    ):
        assert wanted in text, wanted


def test_a_run_under_load_shows_its_seconds_its_latency_and_when_a_clause_was_broken() -> None:
    """The chart is of all seconds, those without a request too; what was not listed is said."""
    page = render_html(sample.loaded())
    text = re.sub(r"\s+", " ", Reader(page).text)
    for wanted in (
        "9,004 requests, at most 46 in a second, 9,000 got a 200, 3 got a 503, 1 without a response (timeout)",
        "second 98: 40 requests, 7 broken, 8 users",
        "red: the response broke a must clause",
        "first at 2026-01-01 03:00:07 UTC under 47 requests a second by 8 users, last at 2026-01-01 03:00:59 UTC",
        "Under load: only requests with findings are listed",
    ):
        assert wanted in text, wanted
    assert "second 110:" not in text
    assert "up to 1,000 B</th><td>4,500</td><td>2.1 ms</td><td>21.3 ms</td><td>1,250 ms</td>" in page
    assert "Under load" not in render_html(sample.failing())


def test_an_inconclusive_run_says_what_to_do() -> None:
    """Nothing answered; the queue was idle; the suite tested itself."""
    unreachable = text_of(sample.unreachable())
    assert "What to do next" not in unreachable  # the reason says it already
    idle = render_html(sample.idle())
    assert "Queue at least one running and two pending jobs" in idle
    assert "Partial run" in idle
    assert "Embedded reference endpoint" in idle


def text_of(report: Report) -> str:
    """Return the text of a page, its spaces folded."""
    return re.sub(r"\s+", " ", Reader(render_html(report)).text)


def test_over_time_a_reader_finds_what_changed_and_since_when() -> None:
    """What the history knows stands in a section of its own, beside what needs attention, and in each clause."""
    text = text_of(history_samples.aged())
    for wanted in (
        "Since run 8 of 2026-01-08 03:00:00 UTC, the run before this one:",
        "Neither better nor worse: no clause changed.",
        "Non-conformant since run 8 of 2026-01-08, in 2 runs.",
        "All 9 runs, latest last",
        "Run 5, 2026-01-05 03:00:00 UTC: inconclusive",
        "Response times",
        "broken in 3 of 14 responses · 42 places in response x1 · since run 8 of 2026-01-08",
        "History. Broken since run 8 of 2026-01-08 03:00:00 UTC.",
        "History. Passed when last checked, in this run.",
        "History. Never checked in this history.",
    ):
        assert wanted in text, wanted


def test_the_line_of_a_clause_says_in_words_what_it_shows() -> None:
    labels = Reader(render_html(history_samples.aged())).all("aria-label")
    assert "9 runs: failed 4, not checked 1, passed 4" in labels
    assert "9 runs: not checked 9" in labels
    assert labels.count("9 runs: not checked 1, passed 8") > 10


def test_the_first_run_of_a_history_says_so() -> None:
    text = text_of(history_samples.new())
    assert "This is the first run of this target in the history." in text
    assert "One run" in text
    assert "Response times" not in text


@pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
def test_without_a_history_nothing_is_said_of_one(make: Callable[[], Report]) -> None:
    page = Reader(render_html(make()))
    assert "past" not in page.all("id")
    assert "strip" not in page.all("class")
    assert "#past" not in page.all("href")

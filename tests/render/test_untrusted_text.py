"""What a server says is shown and never acts: in the page, in JUnit XML, in Markdown, on a terminal, to a CI system.

``corpus/hostile-strings.json`` is said in every place that a server, a proxy or a recording can fill. What is
rendered then has the same parts as where the server had said ``x``.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import settings
from markdown_it import MarkdownIt
from msgspec import structs

from conformance.contract.terms import Dialect
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, NoResponse, Problem, Request, Response
from conformance.exchange.transcript import Transcript
from conformance.judge.build import build
from conformance.judge.judge import judge
from conformance.judge.judging import Judging
from conformance.judge.report import Deviations, History, Report, Status, decode, encode
from conformance.reference.app import Reference
from conformance.reference.faults import Fault
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.server import Endpoint
from conformance.reference.variants import VARIANTS
from conformance.render.html import render_html
from conformance.render.junit import render_junit
from conformance.render.markdown import render_markdown
from conformance.render.terminal import summary_lines
from helpers import history_samples
from helpers import report_samples as sample
from helpers.answers import HEADERS, NOW, item, queue
from helpers.browser import Opener, unfold
from helpers.commands import Done, command_line, suite

CORPUS: Final[dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "corpus" / "hostile-strings.json").read_text("utf-8")
)
EVERY: Final = 1 if settings().max_examples >= 500 else 3
"""Of each kind of text, one in so many is sent: in the quick run a third, else all."""
TEXTS: Final = [text for texts in CORPUS.values() for text in texts[::EVERY]]
FIELDS: Final = (
    "Content-Type",
    "Date",
    "Cache-Control",
    "Expires",
    "Age",
    "Vary",
    "ETag",
    "Allow",
    "Retry-After",
    "Location",
    "Content-Range",
    "Access-Control-Allow-Origin",
    "WWW-Authenticate",
    "Server",
)
VERDICT: Final = re.compile(r"^\s*(Conformant|Non-conformant|Inconclusive)\b.*", re.MULTILINE)
COMMAND: Final = re.compile(r"^\s*(::|##\[)|##\w*\[|::[A-Za-z-]+( [^:]*)?::", re.MULTILINE)
"""What GitHub, Azure Pipelines and TeamCity obey. A terminal may wrap anywhere, so most is looked for everywhere."""

BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00\U000e0100\U000e01ef")
"""Letters and marks by their category that show nothing."""


# --- a server that says one text wherever it can ----------------------------------------------------------------------


def bodies(text: str) -> Iterator[bytes]:
    """Yield queues in which it stands for everything: escaped as JSON has it, raw, twice, and without any JSON."""
    node = {"class_type": None, "inputs": {text: [text, 0]}, "_meta": {"title": text}}
    jobs = (
        item(1, e1=text),
        item(2, e2={text: node}),
        item(3, e3=[text, text, 3]),
        item(5, e0=text),
        item(6, e2=text),
        item(4, e4={text: 1, "create_time": text}),
        item(7, e3=text, e4=text),
        {text: text},
        text,
    )
    yield queue(*jobs)
    yield queue(item(1, e4={"create_time": f"{text} at first"}))
    yield queue(item(1, e4={"create_time": 1, "auth_token_comfy_org": text, text: {"api_key_comfy_org": text}}))
    raw = text.encode("utf-8", "surrogatepass")
    yield b'{"queue_running": [["' + raw + b'"]], "queue_pending": [{"' + raw + b'": 1}]}'
    yield json.dumps({"queue_running": text, text: 1, "error": text}).encode()
    name = json.dumps(text).encode()
    yield b"{" + name + b": NaN, " + name + b": 1e999, " + name + b": 1} " + raw
    yield raw


def on_the_wire(text: str) -> str:
    """Return a text as it is read from a header: bytes of UTF-8, taken for latin-1."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def told(text: str, number: int = 0) -> list[Exchange]:
    """Return the exchanges of a run with a server that says ``text`` everywhere."""
    sendable = text.encode("utf-8", "replace").decode()
    asked = Request("GET", "http://t/api/queue", (("Accept", "application/json"),))
    recorded = Request(sendable, f"http://t/{sendable}/queue", (("X-Said", sendable), (sendable, sendable)), sendable)
    fields: Headers = tuple((name, said) for said in (on_the_wire(text), text) for name in (*FIELDS, said))
    error = json.dumps({"code": text, "message": f"{text}\nTraceback /srv/{text}/app.py", "details": {text: [text]}})
    queue_in_error = json.dumps({"code": 1, "message": [text], text: {"queue_running": [text]}})
    answers = [
        *((asked, Response(200, HEADERS, body)) for body in bodies(text)),
        *((asked, Response(status, fields, queue(item(1)))) for status in (200, 206, 302, 401, 405, 503)),
        *((asked, Response(status, HEADERS, error.encode())) for status in (400, 401, 500)),
        (asked, Response(400, HEADERS, queue_in_error.encode())),
        (asked, Response(200, fields, queue(item(1)))),
        (Request("HEAD", asked.url), Response(200, HEADERS)),
        (asked, Response(200, fields, queue(item(1)))),
        (asked, Response(200, (("Content-Encoding", "gzip"), *HEADERS), b"", on_the_wire(text))),
        *((Request(method, asked.url), Response(405, fields)) for method in ("HEAD", "OPTIONS")),
        (recorded, Response(405, fields, error.encode())),
    ]
    exchanges = [
        Exchange(f"x{number}.{place}", request, response, started=NOW + place, elapsed=0.01)
        for place, (request, response) in enumerate(answers)
    ]
    problem = Problem(NoResponse.BROKEN, text, begun=True)
    return [*exchanges, Exchange(f"x{number}.p", asked, problem=problem, started=NOW + 99, elapsed=0.01)]


def reported(exchanges: Sequence[Exchange], text: str) -> Report:
    judgement = judge(exchanges, Dialect.CLOUD)
    report = build(judgement, Transcript(tuple(exchanges), "http://t", NOW, NOW + 100, None), Judging())
    return annotated(report, text)


@cache
def annotations_as_json() -> str:
    """Return the waivers and the history of the sample reports, as JSON."""
    parts = {"deviations": sample.known().deviations, "history": history_samples.hostile().history}
    return json.dumps(msgspec.to_builtins(parts))


ANNOTATED: Final = ("workflow.links", "reads.steady", "reads.order")
"""Clauses that no text breaks."""


def annotated(report: Report, text: str) -> Report:
    """Return a report with ``text`` in its target, in its waivers, in its history, and in the reasons of results."""
    text = text.encode("utf-8", "replace").decode()
    sampled, written = (json.dumps(said)[1:-1] for said in (" ".join(sample.HOSTILE), text))
    parts = json.loads(annotations_as_json().replace(sampled, written))
    past = parts["history"]["clauses"]["http.date"]
    parts["history"]["clauses"] = {result.id: past for result in report.clauses}
    reason = f"a reason: {text}"
    changes = ({"status": status, "reason": reason} for status in (Status.ERROR, Status.NOT_EXERCISED))
    changed = dict(zip(ANNOTATED, (*changes, {"status": Status.WAIVED, "waiver": reason}), strict=True))
    return structs.replace(
        report,
        clauses=tuple(structs.replace(result, **changed.get(result.id, {})) for result in report.clauses),
        run=structs.replace(report.run, target=f"http://t/{text}", selected=text, partial=True),
        deviations=msgspec.convert(parts["deviations"], Deviations),
        history=msgspec.convert(parts["history"], History),
    )


@cache
def reports() -> list[Report]:
    """Return a report for each text of the corpus; half of them know nothing else of the server than a problem."""
    whole = [reported(told(text, number), text) for number, text in enumerate(TEXTS)]
    return [*whole, *(reported(told(text)[-1:], text) for text in TEXTS)]


@cache
def in_one() -> Report:
    """Return one report with a few findings of each text, each time of other clauses: a page for one look."""
    kept = [
        structs.replace(result, evidence=result.evidence[:2])
        for number, report in enumerate(reports())
        for result in [result for result in report.clauses if result.evidence][number % EACH :: EACH]
    ]
    kept += (result for result in reports()[0].clauses if result.id in ANNOTATED)
    exchanges = tuple(chain.from_iterable(report.exchanges for report in reports()))
    return annotated(structs.replace(reports()[0], clauses=tuple(kept), exchanges=exchanges), " ".join(TEXTS))


EACH: Final = 8
"""Of the clauses that a text breaks one in so many is shown on the page: a text stands in some fifty places of it."""


_SAID: Final = frozenset(
    {"got", "message", "expected", "hint", "last", "before", "marked", "after", "error", "url", "method"}
    | {"purpose", "verdict_reason", "place"}
)


def harmless(report: Report) -> Report:
    """Return the report that there would be, had the server said ``x``: the same in all but what is said."""
    parts = msgspec.to_builtins(structs.replace(report, deviations=None, history=None))
    return annotated(msgspec.convert(_quiet(parts), Report), "x")


def _quiet(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _quiet(member, key) for key, member in value.items()}
    if name == "headers":
        return [("x" if known else "", "x" if said else "") for known, said in value]
    if isinstance(value, list | tuple):
        return [_quiet(member, name) for member in value]
    if isinstance(value, str) and value:
        if name in _SAID or (name == "excerpt" and value):
            return "x"
        return (
            "/x"
            if name == "pointer" and not value.startswith("/components") and not value.startswith("/paths")
            else value
        )
    return value


# --- it stands there --------------------------------------------------------------------------------------------------


def test_the_corpus_reaches_every_kind_of_place() -> None:
    """Else nothing would be shown by what follows."""
    report = reported(told("MARK"), "MARK")
    found = [evidence for result in report.clauses for evidence in result.evidence]
    for name in ("got", "message", "expected", "pointer"):
        assert any("MARK" in (getattr(evidence, name) or "") for evidence in found), name
    excerpts = [evidence.excerpt for evidence in found if evidence.excerpt is not None]
    for name in ("before", "marked", "after"):
        assert any("MARK" in getattr(excerpt, name) for excerpt in excerpts), name
    assert len({result.id for result in report.clauses if result.evidence}) > 30
    assert "MARK" in reports()[-1].verdict_reason or "MARK" in reported(told("MARK")[-1:], "MARK").verdict_reason
    assert any("MARK" in (exchange.error or "") for exchange in report.exchanges)
    assert "MARK" in report.run.target
    assert str(report.deviations).count("MARK") == 6
    assert str(report.history).count("MARK") == 14


def test_nothing_of_it_stands_in_the_report_that_others_are_compared_with() -> None:
    report = reported(told("MARK"), "MARK")
    assert encode(report).count(b"MARK") > 100
    assert encode(harmless(report)).count(b"MARK") == 0


# --- the renderings ---------------------------------------------------------------------------------------------------


def test_every_report_is_json_that_reads_back_the_same() -> None:
    for report in reports():
        assert decode(encode(report)) == report


def test_lines_for_a_terminal_are_printable_and_obeyed_by_nobody() -> None:
    for report in reports():
        first, *others = [shown.text for shown in summary_lines(report)]
        assert VERDICT.match(first)
        for text in (first, *others):
            assert text.isprintable()
            assert not COMMAND.search(text), text
            assert not BLANK & set(text), ascii(text)
        assert not any(VERDICT.match(text) for text in others)


@pytest.mark.parametrize("fail_on_should", [True, False])
def test_junit_xml_has_the_same_elements(*, fail_on_should: bool) -> None:
    for report in reports():
        clauses = tuple(result for result in report.clauses if result.evidence or result.id in ANNOTATED)
        broken = structs.replace(report, clauses=clauses)
        data = render_junit(broken, fail_on_should=fail_on_should)
        assert b"<!DOCTYPE" not in data
        assert data.decode().replace("\n", "").isprintable()
        tags, expected = (
            Counter(element.tag for element in ET.fromstring(xml).iter())  # noqa: S314 - ours, and without a DOCTYPE
            for xml in (data, render_junit(harmless(broken), fail_on_should=fail_on_should))
        )
        assert tags == expected
        assert tags["testcase"] == len(clauses) + 2  # two problems of the register


QUIET: Final = frozenset({"text", "inline", "softbreak", "paragraph_open"})
"""Tokens of Markdown that do nothing: of these a text may need more or fewer to be shown as it is."""
BROKEN_UP: Final = frozenset("@$#-")
"""What stands in a code span of its own, so that it makes no mention, no formula and no reference."""


def parts(text: str) -> tuple[Counter[str], list[str]]:
    """Return the markup that a renderer with HTML finds, and the texts that it leaves to be linked by their look."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    tokens = [child for token in parsed for child in (token, *(token.children or ()))]
    doing = [token for token in tokens if token.type not in QUIET]
    split = [token for token in doing if token.type == "code_inline" and set(token.content) <= BROKEN_UP]
    return Counter(token.type for token in doing if token not in split), [
        token.content for token in tokens if token.type == "text"
    ]


def columns(text: str) -> list[int]:
    """Count the cells of each row as GitHub does: a bar ends one also within a code span, unless it is escaped."""
    return [re.sub(r"\\.", "", row).count("|") for row in text.splitlines() if row.startswith("|")]


def test_markdown_has_the_same_markup() -> None:
    for report in reports():
        text = render_markdown(report)
        assert text.replace("\n", "").isprintable()
        assert not COMMAND.search(text), text
        quiet = render_markdown(harmless(report))
        assert columns(text) == columns(quiet)
        (markup, loose), (expected, _) = parts(text), parts(quiet)
        assert markup == expected, report.verdict_reason
        assert not any(re.search(r"@\w|#\d|\bGH-\d", words) for words in loose), loose
        outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert not re.search(
            r"(https?|ftp)://|(?<!\\)\[\^|(?i:\bwww\.)|(?i:\b(mailto|xmpp):\S+@)|(?<!\\)<(?!br>)", outside
        )


def test_markdown_is_the_same_where_html_is_not_allowed() -> None:
    """Line breaks of ours are then text; nothing else is."""
    plain = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for report in reports():
        shown = plain.render(render_markdown(report))
        expected = plain.render(render_markdown(harmless(report)))
        tags = [Counter(re.findall(r"<(?!code|/code)[^>]*>", page)) for page in (shown, expected)]
        assert tags[0] == tags[1]


@pytest.mark.browser
def test_the_page_has_the_same_elements_and_nothing_in_it_acts(opener: Opener, tmp_path: Path) -> None:
    """No script, no dialog, no request, no element, no attribute that is not ours."""
    report = in_one()
    counted: list[dict[str, int]] = []
    for each in (report, harmless(report)):
        file = tmp_path / f"{len(counted)}.html"
        text = render_html(each)
        assert re.sub(r"[\n\t]", "", text).isprintable()
        assert each is not report or all(said in text for said in ("\\u202egnitset", "{{7*7}}", "&lt;script&gt;window"))
        file.write_text(text, "utf-8")
        page = opener(file.as_uri())
        unfold(page)
        assert page.evaluate("window.pwned") is None
        counted.append(page.evaluate(COUNT))
        assert page.url == file.as_uri()
    assert counted[0] == counted[1]
    assert counted[0]["script"] == 1


COUNT: Final = """() => {
  const counts = {};
  for (const element of document.querySelectorAll('*')) {
    const names = [element.localName, ...[...element.attributes].map((one) => `${element.localName}@${one.name}`)];
    for (const name of names) counts[name] = (counts[name] || 0) + 1;
  }
  return counts;
}"""


# --- the commands, as a CI job starts them ----------------------------------------------------------------------------


def _said(place: int) -> str:
    return TEXTS[place % len(TEXTS)]


def _lists(queue_: Any, ask: IncomingRequest) -> Any:
    """Say other texts in each read, in every place of an item."""
    first = ask.read * 7
    for place, job in enumerate(chain.from_iterable(queue_.values())):
        index = place % len(job)
        job[index] = _said(first + place) if index != 2 else {_said(first + place): {"class_type": None}}
    return {**queue_, _said(first): _said(first)}


def _replies(reply: Reply, ask: IncomingRequest) -> Reply:
    """Say other texts in each answer, as headers and in errors, as far as HTTP lets them through."""
    first = ask.read * 11
    sendable = [re.sub(r"[\r\n\0]", " ", on_the_wire(_said(first + place))) for place in range(len(FIELDS))]
    fields = dict(zip(FIELDS, sendable, strict=True))
    if ask.read % 3 == 0 or ask.method != "GET":
        reply = reply.json({0: 400, 1: 405, 2: 302}[ask.read % 3], {"code": sendable[0], "message": sendable[1]})
    kept = {} if ask.read % 2 else {"Content-Type": "application/json"}
    return replace(reply, headers={**reply.headers, **fields, **kept})


async def _plays(wire: bytes) -> AsyncIterator[bytes]:
    """Say one more as the reason phrase, which nothing shows."""
    head, _, rest = wire.partition(b"\r\n")
    yield head[:12] + b" <script>window.pwned=1</script> \xc2\x9b31m::error::x\r\n" + rest


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    lie = Fault("says-anything", "", "", Twist(lists=_lists, replies=_replies, plays=_plays))
    with Endpoint(Reference(VARIANTS["standing-still"], lie), "127.0.0.1", 0, "") as endpoint:
        yield endpoint.url


def inert(done: Done) -> str:
    """Return the verdict, the only line of its kind."""
    shown = done.stdout + done.stderr
    assert shown.replace("\n", "").isprintable(), ascii(shown)
    assert not COMMAND.search(shown), shown
    (verdict,) = VERDICT.finditer(shown)
    return verdict[0]


CI: Final = {"CI": "true", "GITHUB_ACTIONS": "true"}


def test_the_command_line_lets_nothing_through(tmp_path: Path, target: str) -> None:
    done = command_line(tmp_path, "check", target, **CI)
    assert done.returncode == 1
    assert inert(done).startswith("Non-conformant: ")
    assert done.stdout.splitlines()[0] == inert(done)
    assert done.stdout.splitlines()[-1].startswith("report: ")


@pytest.mark.parametrize("flags", [("-v",), ("-vv", "-rA", "-p", "no:xdist")], ids=" ".join)
def test_pytest_lets_nothing_through(tmp_path: Path, target: str, flags: tuple[str, ...]) -> None:
    done = suite(tmp_path, "--target", target, *flags, **CI)
    assert done.returncode == 1
    assert inert(done).startswith("Non-conformant: ")


def test_recordings_let_nothing_through(tmp_path: Path) -> None:
    for number, text in enumerate(TEXTS):
        said = text.encode("utf-8", "surrogatepass")
        head = b"HTTP/1.1 200 " + re.sub(rb"[\r\n\0]", b" ", said) + b"\r\nContent-Type: application/json\r\n\r\n"
        (tmp_path / f"{number}.http").write_bytes(head + next(bodies(text)))
        (tmp_path / f"{number}.json").write_bytes(b"x" + said + b"{")
    done = command_line(tmp_path, "judge", *(path.name for path in sorted(tmp_path.iterdir())), **CI)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == inert(done)
    assert inert(done).startswith("Non-conformant: ")

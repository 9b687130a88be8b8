"""Every rendering says which reading of the tuple was demanded; of ``auto`` also what it came to, and by which job."""

from __future__ import annotations

import pytest

from conformance.contract.terms import ORDER, Dialect
from conformance.judge.build import report_on_exchanges
from conformance.judge.report import Report, decode, encode
from conformance.render.html import render_html
from conformance.render.junit import render_junit
from conformance.render.markdown import render_markdown
from conformance.render.terminal import summary_lines
from conformance.render.words import dialect_line
from conformance.run.settings import Settings
from helpers.answers import item, queue, reads

SWAPPED = [*item(1)[:3], item(1)[4], item(1)[3]]


def report(dialect: Dialect, *bodies: bytes) -> Report:
    return report_on_exchanges(reads(*bodies), Settings(dialect=dialect).judging, target="queue.json", start=0.0)


@pytest.mark.parametrize(
    ("dialect", "body", "told"),
    [
        (Dialect.CLOUD, queue(item(1)), ("cloud", ORDER["cloud"])),
        (Dialect.OSS, queue(SWAPPED), ("oss", ORDER["oss"])),
        (
            Dialect.AUTO,
            queue(SWAPPED),
            ("auto, read as oss", ORDER["oss"], "element 3 of the first job, /queue_pending/0 in x1, is an object"),
        ),
        (
            Dialect.AUTO,
            queue(item(1)),
            ("auto, read as cloud", ORDER["cloud"], "element 3 of the first job, /queue_pending/0 in x1, is an array"),
        ),
        (Dialect.AUTO, queue(), ("auto, read as neither", "no job has shown an order")),
    ],
)
def test_the_reading_is_told(dialect: Dialect, body: bytes, told: tuple[str, ...]) -> None:
    made = report(dialect, body)
    assert dialect_line(made.run) == "; ".join(told)
    page = render_html(made)
    assert all(text in page for text in told)
    assert f"dialect `{'; '.join(told)}`" in render_markdown(made)
    assert f'name="read_as" value="{made.run.read_as}"'.encode() in render_junit(made)
    lines = [line.text for line in summary_lines(made)]
    assert (f"Dialect {'; '.join(told)}" in lines) == (dialect is Dialect.AUTO)


def test_a_report_of_before_says_what_it_knows() -> None:
    old = encode(report(Dialect.AUTO, queue(SWAPPED))).replace(b'"read_because"', b'"another_member"')
    assert dialect_line(decode(old).run) == f"auto, read as oss; {ORDER['oss']}"

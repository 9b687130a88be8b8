"""Registers of known deviations, and what is judged with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange
from conformance.judge.deviations.apply import RunFacts, account, waiving
from conformance.judge.deviations.register import Entry, Register
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import Deviations

TODAY = date(2026, 11, 25)
TARGET = "http://queue.example"
IDS = "item.prompt-id.uuid"


def known(**changes: Any) -> Entry:
    """Return an entry that knows ids which are no UUIDs, with members replaced."""
    usual: dict[str, Any] = {
        "clause": IDS,
        "place": "/queue_pending/*/1",
        "reason": "Ids are short.",
        "issue": "Q-7",
        "owner": "Ada",
        "since": TODAY,
        "expires": TODAY + timedelta(days=30),
        "dialect": "cloud",
        "target": "*",
    }
    return Entry(**usual | changes)


def held(
    exchanges: Iterable[Exchange],
    *entries: Entry,
    dialect: Dialect = Dialect.CLOUD,
    partial: bool = False,
    only: set[str] | None = None,
) -> tuple[Judgement, Deviations]:
    """Judge exchanges with a register, today."""
    register, night = Register("known.toml", entries), RunFacts(TARGET, TODAY, partial)
    judgement = judge(list(exchanges), dialect, only=only, waive=waiving(register, night))
    return judgement, account(register, night, judgement)


WHOLE = """\
[[deviation]]
clause = "item.prompt-id.uuid"
place = "/queue_pending/*/1"
reason = "Ids are short."
issue = "Q-7"
owner = "Ada"
since = 2026-11-25
expires = 2099-12-25
dialect = "cloud"
target = "*"
"""


def entry(**changes: str) -> str:
    """Return a register of one entry, with members replaced."""
    text = WHOLE
    for name, value in changes.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    return text

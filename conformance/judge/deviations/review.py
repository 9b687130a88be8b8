"""Check a file of known deviations (a register) without a run."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Demand, Dialect
from conformance.judge.deviations.register import Entry, Register
from conformance.text.suggest import did_you_mean

SOON: Final = timedelta(days=14)


def review(register: Register, today: date) -> tuple[list[str], bool]:
    """Return a line of text for each entry and a summary line, and whether all entries are valid."""
    rows, doubts = [], 0
    for number, entry in enumerate(register.entries, 1):
        doubt = _doubt(entry, today)
        doubts += doubt is not None
        soon = f" (soon: in {(entry.expires - today).days} days)" if today <= entry.expires < today + SOON else ""
        what = " ".join(filter(None, (entry.clause, entry.kind, entry.place or '""')))
        rows.append(f"{number}. {what}, {entry.dialect}, {entry.target}: {doubt or f'until {entry.expires}{soon}'}")
    total = f"{len(register.entries)} known deviation{'' if len(register.entries) == 1 else 's'}"
    told = f"{doubts} need{'s' if doubts == 1 else ''} attention" if doubts else "all valid"
    return [*rows, f"{total}: {told}"], not doubts


def _doubt(entry: Entry, today: date) -> str | None:
    clause = BY_ID.get(entry.clause)
    if clause is None:
        return f"no clause has this name{did_you_mean(entry.clause, BY_ID)}"
    if entry.kind and entry.kind not in clause.kinds:
        known = did_you_mean(entry.kind, clause.kinds) or f": it has {', '.join(clause.kinds) or 'none'}"
        return f"the clause has no kind {entry.kind}{known}"
    read_as = [Dialect(entry.dialect)] if entry.dialect != "any" else [Dialect.CLOUD, Dialect.OSS]
    demands = [Demand(given, dialect, "") for dialect in read_as for given in (dialect, Dialect.AUTO)]
    reasons = [clause.not_asked(demand) for demand in demands]
    if all(reasons):
        return f"the clause is not applicable under {entry.dialect}: {reasons[0]}"
    if today > entry.expires:
        return f"expired on {entry.expires}"
    return None

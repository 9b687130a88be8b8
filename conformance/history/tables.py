"""The tables of a history, and how a run is stored in them.

Most nights of a target have the same results as the night before. So the list of clauses, the failures, the waivers and
the counts of profiles of a run are stored in ``kept``, where equal values are stored only once, and the statuses of its
clauses are one letter each. The views ``status`` and ``failure`` show them as rows to any SQLite client.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec

from conformance.contract.terms import EDITION
from conformance.history.snapshot import ClauseThen
from conformance.judge.report import Counts, Fingerprint, PastRun, Status, Verdict

APPLICATION_ID: Final = 0x43514831
"""``CQH1``, stored as ``PRAGMA application_id``: it distinguishes a history from the files of other programs."""
VERSION: Final = 6
"""``PRAGMA user_version``: increase this number whenever the tables change. A file with another number is refused."""
LETTER: Final = {
    Status.PASS: "p",
    Status.FAIL: "f",
    Status.WARN: "w",
    Status.NOT_EXERCISED: "n",
    Status.NOT_APPLICABLE: "a",
    Status.WAIVED: "v",
    Status.ERROR: "e",
}
STATUS: Final = {letter: status for status, letter in LETTER.items()}
COLUMNS: Final = (
    "number, target, queue_path, dialect, started, ended, verdict, reason, partial, selected, suite_version, "
    "document_sha256, counts, failed_on_should, p50, p95, read_as, unreached"
)
"""The columns of a run, in the order of ``row_of`` and ``run_of``."""
_FIELDS: Final = COLUMNS.replace("started", "start").replace("ended", "end").split(", ")
"""The members of ``PastRun`` that are columns, in the same order."""
_STATUSES: Final = " ".join(f"WHEN '{letter}' THEN '{status.value}'" for status, letter in LETTER.items())
TABLES: Final = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE,
    target TEXT NOT NULL,
    queue_path TEXT NOT NULL,
    dialect TEXT NOT NULL
);
CREATE UNIQUE INDEX series_without_name ON series (target, queue_path, dialect) WHERE name IS NULL;
CREATE TABLE kept (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    content TEXT NOT NULL
);
CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    series INTEGER NOT NULL REFERENCES series,
    target TEXT NOT NULL,
    queue_path TEXT NOT NULL,
    dialect TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    partial INTEGER NOT NULL,
    selected TEXT,
    suite_version TEXT NOT NULL,
    document_sha256 TEXT NOT NULL,
    counts TEXT NOT NULL,
    failed_on_should INTEGER NOT NULL,
    p50 REAL,
    p95 REAL,
    read_as TEXT,
    unreached TEXT,
    clauses INTEGER NOT NULL REFERENCES kept,
    statuses TEXT NOT NULL,
    failures INTEGER NOT NULL REFERENCES kept,
    waivers INTEGER NOT NULL REFERENCES kept,
    profiles INTEGER NOT NULL REFERENCES kept
);
CREATE INDEX run_of_a_series ON run (series, number);
CREATE TABLE clause (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    level TEXT NOT NULL,
    core INTEGER NOT NULL
);
CREATE VIEW status AS
SELECT number AS run, one.value AS clause, CASE substr(statuses, one.key + 1, 1)
    STATUSES END AS status
FROM run JOIN kept ON kept.id = run.clauses JOIN json_each(kept.content) AS one;
CREATE VIEW failure AS
SELECT number AS run, json_extract(one.value, '$[0]') AS clause, json_extract(one.value, '$[1]') AS place,
    json_extract(one.value, '$[2]') AS kind
FROM run JOIN kept ON kept.id = run.failures JOIN json_each(kept.content) AS one
""".replace("STATUSES", _STATUSES)
"""Times in the columns p50 and p95 are in seconds. ``counts`` are in the order of the fields of ``Counts``.

A row of ``clause`` has the title and level that the clause has in the newest run.
"""

Failures = dict[str, tuple[Fingerprint, ...]]


def digest(content: str) -> bytes:
    """Return the hash by which a text is found in the table ``kept``."""
    return sha256(content.encode()).digest()[:16]


def letters(clauses: Iterable[ClauseThen]) -> str:
    """Return the statuses of clauses as a string with one letter per clause."""
    return "".join(LETTER[clause.status] for clause in clauses)


def failures_text(clauses: Iterable[ClauseThen]) -> str:
    """Return the failures of all clauses as JSON: clause, place and kind of each."""
    found = [(clause.id, one.place, one.kind) for clause in clauses for one in clause.failures]
    return msgspec.json.encode(found).decode()


def failures_of(content: str) -> Failures:
    """Return the place and kind of each failure, by clause id, from the JSON of ``failures_text``.

    Raises msgspec.DecodeError.
    """
    found: dict[str, list[Fingerprint]] = {}
    for clause, place, kind in msgspec.json.decode(content, type=list[tuple[str, str | None, str]]):
        found.setdefault(clause, []).append(Fingerprint(place=place, kind=kind))
    return {clause: tuple(marks) for clause, marks in found.items()}


def row_of(run: PastRun) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS`` for a run, without its number."""
    counts = msgspec.json.encode(msgspec.structs.astuple(run.counts)).decode()
    return tuple(counts if name == "counts" else getattr(run, name) for name in _FIELDS[1:])


def run_of(row: Iterable[Any], name: str | None) -> PastRun:
    """Return the run that a row contains. Raises ValueError if this suite did not write the row."""
    found = dict(zip(_FIELDS, row, strict=True))
    numbers = msgspec.json.decode(found["counts"], type=list[int])
    counts = Counts(**dict(zip(Counts.__struct_fields__, numbers, strict=True)))
    verdict, partial, failed = Verdict(found["verdict"]), bool(found["partial"]), bool(found["failed_on_should"])
    own = {"name": name, "edition": EDITION, "counts": counts, "verdict": verdict}
    return PastRun(**found | own | {"partial": partial, "failed_on_should": failed})

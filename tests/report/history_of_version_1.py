"""How the first version of a history was made. Never edited: files like this are out there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

TABLES = """
CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
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
    counts TEXT NOT NULL
);
CREATE INDEX run_of_a_series ON run (target, queue_path, dialect, number);
CREATE TABLE clause (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    level TEXT NOT NULL,
    core INTEGER NOT NULL
);
CREATE TABLE status (
    run INTEGER NOT NULL REFERENCES run,
    clause TEXT NOT NULL REFERENCES clause,
    status TEXT NOT NULL
);
CREATE UNIQUE INDEX status_of_a_clause ON status (clause, run);
CREATE INDEX status_of_a_run ON status (run);
"""
COUNTS = (
    '{"pass":1,"fail":1,"warn":0,"not-exercised":0,"not-applicable":0,"waived":0,"error":0,"exercised":2,"total":2}'
)


def build(path: Path) -> None:
    """Make a history of version 1 that holds two runs: a clause that passes, and one that fails."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        connection.execute("PRAGMA application_id = 1129400369")
        connection.execute("PRAGMA user_version = 1")
        connection.executemany(
            "INSERT INTO clause VALUES (?, ?, ?, ?)",
            [
                ("item.array", "Each item is an array", "must", 1),
                ("item.create-time.milliseconds", "create_time is in milliseconds", "must", 1),
            ],
        )
        for number in (1, 2):
            connection.execute(
                "INSERT INTO run VALUES (?, 'http://queue.example:8188', '', 'cloud', ?, ?, 'non-conformant', "
                "'1 must clause broken', 0, NULL, '0.9.0', '95185edf', ?)",
                (number, f"2025-12-0{number}T03:00:00Z", f"2025-12-0{number}T03:00:02Z", COUNTS),
            )
            connection.executemany(
                "INSERT INTO status VALUES (?, ?, ?)",
                [(number, "item.array", "pass"), (number, "item.create-time.milliseconds", "fail")],
            )

"""The tables of a history by version: each script makes them of those of the version before. Add one, edit none."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x43514831
"""``CQH1``: tells a history from the SQLite files of other programs (``PRAGMA application_id``)."""

_STATUSES: Final = """
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
"""``counts`` is JSON as in compliance.json; a clause stands as the newest run describes it."""

_FAILURES_TIMES_EDITION: Final = """
ALTER TABLE run ADD COLUMN edition INTEGER NOT NULL DEFAULT 1;
ALTER TABLE run ADD COLUMN p50 REAL;
ALTER TABLE run ADD COLUMN p95 REAL;
CREATE TABLE failure (
    run INTEGER NOT NULL REFERENCES run,
    clause TEXT NOT NULL REFERENCES clause,
    place TEXT,
    kind TEXT NOT NULL
);
CREATE INDEX failure_of_a_run ON failure (run);
"""
"""Fingerprints of failures, the percentiles of the time that answers took (seconds), and the edition of the clauses."""

_FAILED_ON_SHOULD: Final = "ALTER TABLE run ADD COLUMN failed_on_should INTEGER NOT NULL DEFAULT 0;"
"""Whether warnings made the exit status 1."""

SCRIPTS: Final = (_STATUSES, _FAILURES_TIMES_EDITION, _FAILED_ON_SHOULD)
"""``PRAGMA user_version`` is how many of them a file has seen."""

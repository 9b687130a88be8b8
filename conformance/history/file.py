"""The SQLite file of a history: opening and checking it, transactions, and problems in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from conformance.history.tables import APPLICATION_ID, TABLES, VERSION
from conformance.problems import UsageProblem

WAIT: Final = 30.0
"""Seconds to wait for another process that is writing to the same file."""
_UNUSABLE: Final = {"SQLITE_NOTADB": "is not an SQLite database", "SQLITE_CORRUPT": "is a damaged SQLite database"}
_DAMAGED: Final = _UNUSABLE["SQLITE_CORRUPT"]


class HistoryProblem(UsageProblem):
    """Raised if a history cannot be read or written. The message is one line that names the file and the problem."""


class UnusableHistory(HistoryProblem):
    """Raised if a file can never be used as a history: another program's file, a damaged one, or another version."""


class HistoryFile:
    """An open history, to be used as a context manager. With ``create``, the file is created if it does not exist.

    The constructor and all methods raise HistoryProblem.
    """

    def __init__(self, path: Path, *, create: bool = False, wait: float = WAIT) -> None:
        self.path = path
        if path.is_dir():
            raise UnusableHistory(f"the history {path} is a directory: give the name of a file")
        if not create and not path.exists():
            raise UnusableHistory(f"the history {path} does not exist: run check with --history {path} first")
        with self.told("opened"):
            # Transactions are started only by this class; SQLite waits for locks.
            self.connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}",
                uri=True,
                timeout=wait,
                isolation_level=None,
            )
        try:
            with self.told("read"), self.transaction("DEFERRED"):  # another process may be creating it
                self._check()
            with self.told("made"):
                self._make_tables()
        except HistoryProblem:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def examine(self) -> None:
        """Check every page of the file. Raises UnusableHistory if it is damaged."""
        found = self.one("PRAGMA quick_check(1)")
        if found != ("ok",):
            raise UnusableHistory(f"the history {self.path} {_DAMAGED}: name another file")

    def all(self, sql: str, *values: object) -> list[Any]:
        """Return all rows of a query."""
        with self.told("read"):
            return self.connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Any:
        """Return the first row of a query."""
        with self.told("read"):
            return self.connection.execute(sql, values).fetchone()

    def _pragma(self, name: str) -> int:
        return int(self.one(f"PRAGMA {name}")[0])

    def _check(self) -> None:
        version, owner = self._pragma("user_version"), self._pragma("application_id")
        objects = self.one("SELECT count(*) FROM sqlite_master")[0]  # fails if the file is damaged
        if version == owner == objects == 0:
            return  # an empty file becomes a history
        if owner != APPLICATION_ID:
            raise UnusableHistory(f"the history {self.path} is a database of another program: name another file")
        if version != VERSION:
            raise UnusableHistory(
                f"the history {self.path} has tables of version {version}, and this version of the suite uses version "
                f"{VERSION}: name another file, or use the version of comfy-queue-conformance that made this one"
            )

    def _make_tables(self) -> None:
        """Create the tables in an empty file, in one transaction."""
        if self._pragma("user_version") == VERSION:
            return
        with self.transaction():
            if self._pragma("user_version") == VERSION:  # another process was faster
                return
            for statement in filter(str.strip, TABLES.split(";")):  # executescript would commit
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Do everything in the ``with`` block in one transaction, or nothing of it."""
        self.connection.execute(f"BEGIN {kind}")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk has already ended it
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Raise HistoryProblem for an error of SQLite. ``doing`` is a participle, such as ``read``."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name in _UNUSABLE:
                raise UnusableHistory(f"the history {self.path} {_UNUSABLE[name]}: name another file") from None
            raise HistoryProblem(f"the history {self.path} cannot be {doing} ({error})") from None

    @contextmanager
    def sound(self) -> Iterator[None]:
        """Turn errors in reading stored content into UnusableHistory, because SQLite does not detect all damage."""
        try:
            yield
        except (ValueError, KeyError, TypeError):
            raise UnusableHistory(f"the history {self.path} {_DAMAGED}: name another file") from None

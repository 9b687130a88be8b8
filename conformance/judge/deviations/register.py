"""Read a file of known deviations (a register): TOML with one table ``[[deviation]]`` for each.

See ``docs/deviations.md``.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

from conformance.judge.report import Fingerprint
from conformance.problems import UsageProblem
from conformance.text.safe import line
from conformance.text.suggest import did_you_mean

OUTSIDE: Final = "outside"
"""The ``place`` of a violation that is not in a body: in the status, in a header, or in how responses differ."""
TO_DO: Final = "TODO"
"""How a value begins that the user must still fill in."""
_TABLE: Final = re.compile(rb"^[ \t]*\[\[[ \t]*deviation[ \t]*\]\]", re.MULTILINE)
_ENTRY: Final = re.compile(r"\$\.deviation\[(\d+)\](?:\.(\w+))?")
_LACKING: Final = re.compile(r"missing required field `(.*)`", re.DOTALL)
_TYPE: Final = re.compile(r"Expected `|Invalid ")
_A_DATE: Final = "a date such as 2027-02-27, without quotes"
_FORM: Final = {
    "since": _A_DATE,
    "expires": _A_DATE,
    "dialect": '"cloud", "oss" or "any"',
    "intermittent": "true or false, without quotes",
}
"""By key of an entry: what its value must be. The values of all other keys are text."""
_UNKNOWN: Final = re.compile(r"unknown field `(.*)`", re.DOTALL)


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known failure of a server. ``expires`` is the last day (UTC) on which it is waived.

    ``place`` is a JSON Pointer into the body, "" for the whole body, or ``outside``. In a pointer, ``*`` matches one
    name or index, and ``**`` matches everything that follows. ``dialect`` is the dialect of the run. ``target`` is the
    target as the run names it; in it ``*`` matches any text. An entry with ``intermittent`` does not become stale if a
    run does not show the failure.
    """

    clause: str
    place: str
    kind: str = ""
    reason: str
    issue: str
    owner: str
    since: date
    expires: date
    dialect: Literal["cloud", "oss", "any"]
    target: str
    intermittent: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for blank or contradictory values. msgspec adds the place in the file to its message."""
        texts = {name: getattr(self, name).strip() for name in ("clause", "reason", "issue", "owner", "target")}
        blank = [f"`{name}`" for name, text in texts.items() if not text or text.startswith(TO_DO)]
        if blank:
            raise ValueError(f"fill in {' and '.join(filter(None, (', '.join(blank[:-1]), blank[-1])))}")
        if self.place and self.place != OUTSIDE and not self.place.startswith("/"):
            raise ValueError(f"`place` is a JSON Pointer such as /queue_pending/*/3, or {OUTSIDE}")
        if self.expires < self.since:
            raise ValueError("`expires` is before `since`")

    def covers(self, mark: Fingerprint) -> bool:
        """Whether the entry covers a violation of its clause that has this fingerprint."""
        if mark.kind != self.kind or (mark.place is None) is not (self.place == OUTSIDE):
            return False
        return mark.place is None or re.fullmatch(_pattern(self.place), mark.place, re.DOTALL) is not None

    def concerns(self, target: str, dialect: str) -> bool:
        """Whether the entry applies to this target and dialect."""
        wanted = ".*".join(map(re.escape, self.target.rstrip("/").split("*")))
        return self.dialect in (dialect, "any") and re.fullmatch(wanted, target.rstrip("/"), re.DOTALL) is not None

    def lies_in(self, listed: str) -> bool:
        """Whether the place of the entry is in the list ``listed`` (``queue_running`` or ``queue_pending``)."""
        first, *rest = self.place.split("/")[1:] or [""]
        return first == "**" or (first in {listed, "*"} and bool(rest))


class Register(msgspec.Struct, frozen=True):
    """The entries of one file of known deviations, in order."""

    file: str
    entries: tuple[Entry, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    deviation: tuple[Entry, ...] = ()


def read_register(file: str | Path) -> Register:
    """Read a file of known deviations. Raises UsageProblem, with the place of the error, if it is not valid."""
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise UsageProblem(f"the register {file} cannot be read ({error.strerror})") from None
    try:
        return Register(str(file), msgspec.toml.decode(data, type=_File).deviation)
    except msgspec.ValidationError as error:
        raise UsageProblem(line(f"{file}{_described_error(str(error), data)}")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageProblem(line(f"{file} is not valid TOML: {error}")) from None


def _described_error(error: str, data: bytes) -> str:
    """Return an error of msgspec with its place in the file: the line and the number of the entry."""
    what = re.sub(r" - at `.*`$", "", error, flags=re.DOTALL)
    place = _ENTRY.search(error)
    if unknown := _UNKNOWN.search(what):
        known = Entry.__struct_fields__ if place else ["deviation"]
        what = f"unknown key `{unknown[1]}`{did_you_mean(unknown[1], known)}"
    elif lacking := _LACKING.search(what):
        what = f"`{lacking[1]}` is missing"
    elif place is None:
        what = "`deviation` must be a list of tables: write [[deviation]] above each entry"
    elif place[2] and _TYPE.match(what):
        what = f"`{place[2]}` must be {_FORM.get(place[2], 'text in quotes')}"
    elif _TYPE.match(what):
        what = "an entry must be a table: write [[deviation]] above it"
    if place is None:
        return f": {what}"
    tables = [match.start() for match in _TABLE.finditer(data)]
    number = int(place[1])
    where = f", line {data[: tables[number]].count(10) + 1}" if number < len(tables) else ""
    return f"{where}, deviation {number + 1}: {what[:1].lower()}{what[1:]}"


def _pattern(place: str) -> str:
    wild = {"*": "/[^/]*", "**": "(?:/.*)?"}
    return "".join(wild.get(token, f"/{re.escape(token)}") for token in place.split("/")[1:])

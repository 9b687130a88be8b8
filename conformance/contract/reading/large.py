"""Parse a large body in parts, so that its parsed values are never all in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property, partial
from typing import Any, Final

from conformance.contract.reading.body import LISTS, Item, Reading, Remaining
from conformance.contract.reading.fast_proof import WithoutWorkflows
from conformance.contract.reading.known_jobs import ALONE, NOTHING, ComparableJobs, KnownJobs, Shared, Summary
from conformance.contract.reading.large_compared import Compared
from conformance.contract.reading.large_jobs import LargeJobs
from conformance.contract.reading.large_listed import ReadBytes
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, FastPath, Level
from conformance.exchange.stored import StoredBody
from conformance.text.json_runs import RUN, JsonRun, Unfinished, last_members, nesting_of, runs, skip_space
from conformance.text.large_json import NAMES, SHALLOW, Checker, NotRead, parse_piece, shorten
from conformance.text.pointer import escape
from conformance.text.safe import printable
from conformance.text.strict_json import NESTING_READ, Document, parse


def _spellings(name: str) -> str:
    r"""Return a pattern for all spellings of a name in JSON text: each letter may be an escape such as ``\u0071``."""
    return "".join(rf"(?:{letter}|(?i:\\u{ord(letter):04x}))" for letter in name)


_NAMES_A_LIST: Final = re.compile(f'"(?:{"|".join(map(_spellings, LISTS))})"[ \\t\\n\\r]*+:'.encode())
_WORD: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null|NaN|-?Infinity")
MEMBERS: Final = 1000
"""Maximum number of members of the body, besides the two lists, that are kept. Later members are read in groups."""


class LargeReading(Reading):
    """A large body, parsed without its jobs. ``parts`` yields the jobs that the clauses must check."""

    proven: Final = None
    """None, because the results for a large body are never reused for another one."""

    def __init__(
        self,
        content: bytes | StoredBody,
        demand: Demand = AS_THE_DOCUMENT_SAYS,
        *,
        must_only: bool = False,
        shared: Shared = ALONE,
    ) -> None:
        super().__init__(content, demand, shared=shared)
        self._must_only = must_only

    @cached_property
    def _scan(self) -> _Scan:
        source = self._body.read if isinstance(self._body, StoredBody) else None
        jobs = partial(LargeJobs, demand=self.demand, must_only=self._must_only, shared=self.shared)
        return _Scan(self.content, jobs, source, self.shared.pulse)

    def keeps(self, proofs: Collection[FastPath]) -> bool:
        """Whether the fast path already showed that the body conforms to every clause that declares one of ``proofs``."""
        scan = self._scan
        return scan.flawless and not scan.jobs.remaining and scan.jobs.compared.broken.isdisjoint(proofs)

    def remaining(self, fast: FastPath | None, level: Level | None) -> Remaining:
        """Return what the check of a clause must still see besides the jobs that ``parts`` yields."""
        if fast is None or fast is FastPath.BODY or (self._must_only and level is not Level.MUST):
            return super().remaining(fast, level)
        jobs, read = self._scan.jobs, self._scan.document.read
        applies = jobs.compared.many(fast) if fast in Compared.CLAUSES else fast in jobs.exercised
        items = jobs.disagreeing(fast) if read and fast in jobs.compared.broken else ()
        return Remaining(exercised=read and applies, reading=WithoutWorkflows(self.demand, items))

    def parts(self) -> Iterator[Reading]:
        """Yield the jobs that the clauses must check, in groups."""
        return self._scan.jobs.parts() if self._scan.document.read else iter(())

    @property
    def document(self) -> Document:
        """The body parsed as JSON, with its two lists left empty, because ``parts`` yields the jobs."""
        return self._scan.document

    @property
    def jobs(self) -> Iterable[Item]:
        """The jobs, one after another, without their workflows."""
        return self._scan.jobs.items() if self._scan.document.read else ()

    @property
    def size(self) -> int:
        """The number of elements in the two lists."""
        return self._scan.jobs.size if self._scan.document.read else 0

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists that are not empty."""
        return self._scan.jobs.filled if self._scan.document.read else frozenset()

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order of the first job whose elements 3 and 4 show an order, and the pointer of that job, or None."""
        return self._scan.jobs.order if self._scan.document.read else None

    @property
    def latest(self) -> Any:
        """The latest ``create_time`` of all jobs that is plausible in milliseconds, or None."""
        return self._scan.jobs.latest if self._scan.document.read else None

    def weight(self, pointer: str | None) -> int:
        """Return how many findings one at ``pointer`` stands for: the last flaw of a kind, also for those not listed."""
        found = self.document
        return 1 + sum(number for kind, number in found.more.items() if getattr(found, kind)[-1].pointer == pointer)

    def text_at(self, pointer: str) -> tuple[bytes, str] | None:
        """Return the text of a body with only the job that ``pointer`` is in, and the pointer in that text, or None."""
        return self._scan.jobs.text_at(pointer)

    @cached_property
    def summary(self) -> Summary:
        """The facts about the body that are kept when its parsed value is dropped."""
        return super().summary._replace(unread=self._scan.unread)

    def _listed(self) -> ComparableJobs | None:
        if self.shared.known is None:
            self.shared = self.shared._replace(known=KnownJobs())
            self.release()
        roll = self._scan.jobs.roll
        return NOTHING if roll is None or not self._scan.document.read else roll.listed()

    def release(self) -> None:
        """Drop what was found out about the jobs, to free memory."""
        self.__dict__.pop("_scan", None)


class _Scan:
    """The result of one pass over a body that checks its JSON syntax and inspects its jobs."""

    def __init__(
        self, content: bytes, jobs: Callable[..., LargeJobs], source: ReadBytes | None, pulse: Callable[[], None]
    ) -> None:
        sent = content
        content, bom, not_utf8 = _in_utf_8(content)
        self.jobs = jobs(content, source=source if content is sent else None)
        self._checker = Checker(content, pulse)
        self._checker.not_utf8 = not_utf8
        self._content, self._pulse = content, pulse
        self._start = skip_space(content, len(codecs.BOM_UTF8) * bom)
        self._last_lists: dict[str, int] = {}
        """The offsets of the lists that were found in groups, by name."""
        try:
            value, end = self._read(self._start)
            after = skip_space(content, end)
            if after < len(content):
                self._checker.not_utf8 = self._checker.not_utf8 or _undecodable(content)
            self.document = self._checker.document(value, bom=bom, trailing=_shown(content, after))
        except (NotRead, Unfinished, RecursionError) as error:
            self.document = self._not_read(error, bom=bom)

    @property
    def unread(self) -> str | None:
        """In words, which part of the body no clause checked. None if all was checked."""
        names = self._checker.uncompared
        return self.jobs.unread or (
            f"whether {names:,} names are distinct, after the first {NAMES:,}" if names else None
        )

    @property
    def flawless(self) -> bool:
        """Whether the body is JSON without any flaw, and has both lists."""
        found = self.document
        flaws = found.non_finite or found.repeated_names or found.lone_surrogates or found.out_of_range
        other = found.bom or found.not_utf8 or found.control_character or found.trailing
        lists = found.read and isinstance(found.value, dict) and all(found.value.get(name) == [] for name in LISTS)
        return lists and not flaws and not other and found.depth <= SHALLOW

    def _not_read(self, error: Exception, *, bom: bool) -> Document:
        content, checker, start = self._content, self._checker, self._start
        not_utf8 = checker.not_utf8 or _undecodable(content)
        if start == len(content):
            return Document(read=False, empty=True, malformed="the body is empty", not_utf8=not_utf8, bom=bom)
        depth = nesting_of(content)
        deep = depth > NESTING_READ and content[start : start + 1] in {b"[", b"{"}
        if isinstance(error, Unfinished):
            error = checker.unfinished(error)
        malformed = error.malformed if isinstance(error, NotRead) and not deep else None
        return Document(read=False, malformed=malformed, not_utf8=not_utf8, bom=bom, depth=depth)

    def _read(self, at: int) -> tuple[Any, int]:
        content, checker = self._content, self._checker
        if not content.startswith(b"{", at):
            word = _WORD.match(content, at, at + RUN)
            if word is None:
                end = checker.value(at, "")
            else:  # the rest after a word is reported as trailing text
                checker.take(parse(word[0]), at, str)
                end = word.end()
            return parse_piece(shorten(content, at, end)).value, end
        value: dict[str, Any] = {}
        names = set[int]()
        checker.depth = max(checker.depth, 1)
        number = 0
        end = skip_space(content, at + 1)
        if content.startswith(b"}", end):
            return value, end + 1
        while True:
            number += 1
            run = next(runs(content, at, opening=b"{")) if number > MEMBERS else None
            if run is not None and self._grouped(run, names):
                at = run.end
            else:
                at = skip_space(content, self._member(at + 1, value, names))
            if content.startswith(b"}", at):
                self._read_last_lists(value)
                return value, at + 1
            if not content.startswith(b",", at):
                raise checker.malformed(at, "Expecting ',' delimiter")

    def _member(self, at: int, value: dict[str, Any], names: set[int]) -> int:
        """Parse the member of the body that begins at an offset, and return the offset of its end."""
        name, at = self._checker.name(at)
        self._checker.distinct((name,), names, "")
        self._last_lists.pop(name, None)
        return self._value(name, at, value, self._checker)

    def _value(self, name: str, at: int, value: dict[str, Any], checker: Checker) -> int:
        """Parse the value of a member of the body, and return the offset of its end."""
        if name in LISTS and self._content.startswith(b"[", at):
            value[name] = []
            return self.jobs.read(name, at, checker)
        end = checker.value(at, f"/{escape(name)}", 1)
        if name in LISTS:
            self.jobs.drop(name)
        if len(value) < MEMBERS or name in LISTS:
            value[name] = parse_piece(shorten(self._content, at, end)).value
        return end

    def _grouped(self, run: JsonRun, names: set[int]) -> bool:
        """Check a group of members. False if it is empty, or a single member that is too large for a group.

        Of a list that is repeated, only the last one counts. It is read when all members were checked.
        """
        text = self._content[run.start : run.end]
        if not text.strip():  # a run for a large member has no text
            return False
        found = self._checker.part(b"{%b}" % text, run.start, str)
        self._checker.distinct(found, names, "")
        named = {name for name in LISTS if name in found}
        for at in last_members(text, _NAMES_A_LIST) if named else ():
            name, place = self._checker.name(run.start + at)
            if name in named:
                named.remove(name)
                self._last_lists[name] = place
            if not named:
                break
        return True

    def _read_last_lists(self, value: dict[str, Any]) -> None:
        """Parse the lists that are in groups. Their syntax was checked with the group."""
        for name, at in self._last_lists.items():
            self._value(name, at, value, Checker(self._content, self._pulse))


def _shown(content: bytes, at: int) -> str | None:
    """Return the text from an offset to the end as it is shown, or None if the body ends there."""
    first = content[at : at + RUN].decode("utf-8", "replace")
    parts = (content[start : start + RUN] for start in range(at, len(content), RUN))
    length = sum(map(len, codecs.iterdecode(parts, "utf-8", "replace")))
    return printable(first, more=length - len(first)) if first else None


def _undecodable(content: bytes) -> str | None:
    """Describe the first byte that is not valid UTF-8. None if the whole body is valid."""
    at = 0
    try:
        while at < len(content):
            piece = content[at : at + RUN]
            at += codecs.utf_8_decode(piece, "strict", len(piece) < RUN)[1]
    except UnicodeDecodeError as error:
        place = at + error.start
        return f"byte 0x{content[place]:02x} at offset {place:,} ({error.reason})"
    return None


def _in_utf_8(content: bytes) -> tuple[bytes, bool, str | None]:
    """Return a body in UTF-8, whether it has a byte order mark, and what is wrong with its encoding, or None."""
    encoding = json.detect_encoding(content)
    if encoding.startswith(("utf-16", "utf-32")):
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        pieces = (content[at : at + RUN] for at in range(0, len(content), RUN))
        text = bytearray()
        for piece in pieces:
            text += decoder.decode(piece).encode("utf-8", "replace")
        return bytes(text).removeprefix(codecs.BOM_UTF8), False, f"the bytes are {encoding.upper()}"
    return content, content.startswith(codecs.BOM_UTF8), None

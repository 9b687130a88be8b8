"""Read the targets of a run from a targets.toml, a CSV file, a list of URLs, or standard input.

The first line of a CSV file names its columns: ``url``, optionally ``name``, and any options of a target (``dialect``,
``api-key-env``), spelt as in targets.toml. Empty fields are ignored. A list of URLs has one URL per line; blank lines
and comments that start with ``#`` are skipped. Both kinds of file are read line by line, as often as needed, so that
they may be larger than memory. Semicolons and tabs as separators, byte order marks and UTF-16 are recognised, because
spreadsheets and Windows shells write them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self

from msgspec import structs

from conformance.exchange.sniff import as_text, encoding_of
from conformance.fleet.marks import Marks
from conformance.problems import UsageProblem
from conformance.run.address import base_url
from conformance.run.consent import announcement
from conformance.run.describing import Group, Place
from conformance.run.options import Option, at
from conformance.run.settings import DEFAULT_KEY_ENV, EMBEDDED, Settings
from conformance.run.targets import ISOLATE, Target, beside, make_target, parse
from conformance.text.safe import printable
from conformance.text.suggest import did_you_mean

WRITING: Final = tuple(option.name for option in at(Place.CHECK) if option.about.group is Group.WRITES)
"""Options of runs that change the server. They are refused for many targets."""
_OPTIONS: Final = {
    option.name: option for option in at(Place.CHECK) if option.name not in {*WRITING, "report_dir", "name"}
}
_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
THERE: Final = frozenset({"ca_bundle", "client_cert", "deviations", "document"})
"""Options that name a file on the machine that runs the check, which may be a worker of a cluster."""
FEW: Final = 20
"""If there are at most this many targets, a line about each is printed before the run starts."""
LONGEST_NAME: Final = 300
STDIN: Final = "-"
_DELIMITERS: Final = (",", ";", "\t")
_START: Final = 64
"""How many bytes at the start of a file are read to detect its encoding."""


class TargetsPart(NamedTuple):
    """A part of the targets: every ``of``-th target, starting with target number ``first`` (counted from 0)."""

    first: int
    of: int


WHOLE: Final = TargetsPart(0, 1)


@dataclass(frozen=True)
class TargetSource:
    """The targets of a file. Inside a ``with`` block, the targets can be iterated repeatedly.

    ``name`` is the name of the file as the user wrote it.
    """

    name: str
    content: BinaryIO
    base: Path = Path()
    """The directory that relative file names in the source refer to."""
    part: TargetsPart = WHOLE
    only: frozenset[str] = frozenset()
    """Names of the selected targets; empty means all."""

    @property
    def is_toml(self) -> bool:
        """Whether the source is a targets.toml. If so, the name of every target is also a valid directory name."""
        return self.name.lower().endswith(".toml")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.content.close()

    def __iter__(self) -> Generator[Target]:
        """Yield the selected targets in order. Raises UsageProblem at the first invalid target."""
        yield from (target for _, target in self.placed())

    def placed(self) -> Generator[tuple[str, Target]]:
        """Yield the selected targets in order, each with its place in the file.

        Raises UsageProblem at the first invalid target.
        """
        seen = Marks()
        for number, (place, target) in enumerate(self._numbered()):
            where = f"{self.name}, {place}"
            _demand_read_only(target, where)
            if not seen.add(target.name):
                raise UsageProblem(f"{where}: {printable(target.name)!r} appears twice: remove one")
            if number % self.part.of == self.part.first and (not self.only or target.name in self.only):
                yield where, target

    def _numbered(self) -> Iterator[tuple[str, Target]]:
        self.content.seek(0)
        if self.is_toml:
            targets = parse(_utf8(self.content.read(), self.name), Path(self.name))
            yield from ((f"[[target]] {number}", target) for number, target in enumerate(targets, 1))
            return
        encoding = encoding_of(self.content.read(_START)) or "utf-8"
        self.content.seek(0)
        lines = io.TextIOWrapper(self.content, encoding=encoding, newline="")
        try:
            yield from self._lines(lines)
        except UnicodeError:
            raise UsageProblem(f"{self.name} is not valid {encoding.removesuffix('-sig').upper()}") from None
        except csv.Error as error:
            raise UsageProblem(f"{self.name} is not a valid CSV file: {error}") from None
        finally:
            lines.detach()

    def _lines(self, lines: io.TextIOWrapper) -> Iterator[tuple[str, Target]]:
        head = next(lines, "")
        delimiter = next((sign for sign in _DELIMITERS if "url" in _columns(head, sign)), None)
        if delimiter is None:
            yield from _urls(chain([head], lines))
            return
        columns = _columns(head, delimiter)
        rows = csv.reader(lines, delimiter=delimiter)
        names = [_column(column, self.name) for column in columns]
        if len(set(names)) < len(names):
            raise UsageProblem(f"{self.name}, line 1: a column appears twice: remove one")
        for fields in rows:
            if any(field.strip() for field in fields):
                where = f"line {rows.line_num + 1}"
                yield where, _row(names, fields, f"{self.name}, {where}", self.base)


def _columns(head: str, delimiter: str) -> list[str]:
    return [column.strip().lower() for column in next(csv.reader([head.lstrip("\ufeff")], delimiter=delimiter), [])]


def _urls(lines: Iterator[str] | chain[str]) -> Iterator[tuple[str, Target]]:
    for number, line in enumerate(lines, 1):
        url = line.strip().lstrip("\ufeff")
        if url and not url.startswith("#"):
            yield f"line {number}", make_target(url, {"target": url})


def _column(column: str, file: str) -> str:
    name = "target" if column == "url" else column.replace("-", "_")
    if name not in {"name", ISOLATE} and name not in _OPTIONS:
        known = ["name", "url", ISOLATE, *(option.replace("_", "-") for option in _OPTIONS)]
        raise UsageProblem(f"{file}, line 1: {printable(column)!r} is not a known column{did_you_mean(column, known)}")
    return name


def _row(names: Sequence[str], fields: Sequence[str], where: str, base: Path) -> Target:
    if len(fields) > len(names):
        raise UsageProblem(f"{where} has {len(fields)} fields, but the first line names {len(names)}")
    given = {name: field.strip() for name, field in zip(names, fields, strict=False) if field.strip()}
    if "target" not in given:
        raise UsageProblem(f"{where} has no url")
    name = given.pop("name", given["target"])
    isolate = _boolean(ISOLATE, given.pop(ISOLATE, "no"), where)
    target = make_target(name, {key: _value(_OPTIONS[key], text, where, base) for key, text in given.items()})
    return replace(target, isolate=isolate)


def _boolean(spelt: str, text: str, where: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise UsageProblem(f"{where}: {spelt} must be true or false, not {printable(text)!r}")
    return _BOOLEANS[text.lower()]


def _value(option: Option, text: str, where: str, base: Path) -> object:
    """Return the value of an option from a field of a CSV file. Several values in a field are separated by spaces."""
    spelt = option.flag.removeprefix("--")
    if option.metavar is None:
        return _boolean(spelt, text, where)
    if option.multiple:
        return text.split()
    try:
        return beside(base, option, option.type(text))
    except ValueError:
        raise UsageProblem(f"{where}: {spelt} must be a number, not {printable(text)!r}") from None


def _demand_read_only(target: Target, where: str) -> None:
    """Raise UsageProblem for a target whose run would change the server, or whose name is too long or not printable."""
    for name in WRITING:
        if target.options.get(name) not in (None, False):
            spelt = name.replace("_", "-")
            problem = f"{spelt} is for runs that change the server, which --all does not support"
            raise UsageProblem(f"{where}: {problem}: check {printable(target.name)!r} separately")
    if len(target.name) > LONGEST_NAME or not target.name.isprintable():
        raise UsageProblem(f"{where}: a name must be printable and have at most {LONGEST_NAME} characters")


@dataclass
class Inspected:
    """What a source contains: the number of targets, and the environment variables and histories that they name."""

    number: int = 0
    variables: set[str] = field(default_factory=lambda: {DEFAULT_KEY_ENV, "CONFORMANCE_TARGET"})
    histories: set[str] = field(default_factory=set)
    announced: list[str] = field(default_factory=list)
    """The lines to print before the run, for the first FEW targets."""
    keyed_by_default: bool = False
    """Whether a target names the default environment variable of the key."""


def inspect(source: TargetSource, environ: Mapping[str, str], given: Mapping[str, Any], *, far: bool) -> Inspected:
    """Read the whole source and check every target before anything is sent. Raises UsageProblem.

    ``given`` are options that override those of the targets. With ``far``, the checks run on other machines: the keys
    and files of targets are on those machines, and are not checked here.
    """
    found, left = Inspected(), set(source.only)
    for where, target in source.placed():
        found.number += 1
        left.discard(target.name)
        whole = target.with_options(given)
        if far and target.isolate:
            problem = f"{ISOLATE} is for processes on this machine: leave out --scheduler"
            raise UsageProblem(f"{where}: target {target.name!r}: {problem}")
        try:
            settings = _settings_of(whole, environ, far=far, strict=not source.is_toml)
        except UsageProblem as problem:
            raise UsageProblem(f"{where}: {problem}") from None
        found.variables |= whole.variables
        found.keyed_by_default |= DEFAULT_KEY_ENV in whole.variables
        if whole.options.get("history"):
            found.histories.add(str(whole.options["history"]))
        if found.number <= FEW and not far:
            found.announced += [f"{target.name}: {line}" for line in _announcement(settings)]
    _demand_targets(source, found.number, left)
    return found


def selected_targets(source: TargetSource) -> list[Target]:
    """Return all selected targets of a source. Raises UsageProblem if there are none."""
    found = list(source)
    _demand_targets(source, len(found), source.only.difference(target.name for target in found))
    return found


def _demand_targets(source: TargetSource, number: int, missing: Collection[str]) -> None:
    if missing:
        name, known = min(missing), (target.name for target in replace(source, only=frozenset(), part=WHOLE))
        raise UsageProblem(f"{source.name} has no target {name!r}{did_you_mean(name, list(islice(known, 10_000)))}")
    if not number and not any(True for _ in replace(source, part=WHOLE)):
        raise UsageProblem(f"{source.name} has no targets: give one URL per line, a CSV file or a targets.toml")


def _announcement(settings: Settings) -> Iterator[str]:
    """Yield the lines to print about a target.

    They lack the seed, because the worker that checks the target chooses it.
    """
    yield from announcement(structs.replace(settings, properties=None))
    if settings.properties is not None:
        yield f"{settings.properties.wanted} more are generated"


def _settings_of(target: Target, environ: Mapping[str, str], *, far: bool, strict: bool) -> Settings:
    if strict and target.url != EMBEDDED:
        base_url(target.url)  # lists must have complete URLs
    if not far:
        return target.settings(own_environment(target, environ), Path())
    assumed = dict.fromkeys(target.variables, "http://assumed.invalid")  # valid as the URL of a proxy too
    options = dict(target.options)
    if options.pop("api_key_file", None):
        assumed["KEY_IN_A_FILE"] = "assumed"
        options["api_key_env"] = "KEY_IN_A_FILE"
    return Target(target.name, {name: value for name, value in options.items() if name not in THERE}).settings(
        assumed, Path()
    )


def own_environment(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that a target names. Its run may see no others."""
    return {name: environ[name] for name in target.variables if name in environ}


def part_of(text: str) -> TargetsPart:
    """Parse the value of ``--part``: ``0/16`` is the first of sixteen parts. Raises UsageProblem."""
    first, slash, of = text.partition("/")
    numbers = first.isascii() and first.isdecimal() and of.isascii() and of.isdecimal()
    if not slash or not numbers or int(first) >= int(of):
        raise UsageProblem(f"--part must be I/N, counted from 0, such as 0/16 to 15/16, not {printable(text)!r}")
    return TargetsPart(int(first), int(of))


def source_of(
    name: str, stdin: BinaryIO, part: TargetsPart = WHOLE, only: frozenset[str] = frozenset()
) -> TargetSource:
    """Open a source of targets. Standard input is read to its end. Raises UsageProblem."""
    if name == STDIN:
        from shutil import copyfileobj
        from tempfile import TemporaryFile

        kept = TemporaryFile()  # noqa: SIM115 - lives as long as the source
        copyfileobj(stdin, kept)
        return TargetSource("standard input", kept, part=part, only=only)
    try:
        return TargetSource(name, Path(name).open("rb"), Path(name).parent, part, only)
    except OSError as error:
        raise UsageProblem(f"{name} cannot be read ({error.strerror}): give the name of your targets file") from None


def _utf8(content: bytes, name: str) -> str:
    try:
        return as_text(content).data.decode()
    except UnicodeDecodeError:
        raise UsageProblem(f"{name} is not UTF-8: save it as UTF-8") from None

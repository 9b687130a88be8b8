"""Where the endpoints of a fleet are named: targets.toml, a CSV file, a file of URLs, or standard input.

A CSV file has a line of names first: ``url``, ``name`` if there are any, and any option of a target (``dialect``,
``api-key-env``), spelt as in targets.toml; a field that is empty is not given. A file of URLs has one on each line;
blank lines and what follows ``#`` at the start of a line are passed over. Both are read line by line, as often as
they are needed, so that a fleet may be larger than memory. Spreadsheets and shells of Windows write semicolons or tabs
for commas, byte order marks and UTF-16: all of these are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self

from conformance.exchange.sniff import as_text, encoding_of
from conformance.fleet.marks import Marks
from conformance.problems import UsageProblem
from conformance.run.address import checked_url
from conformance.run.describing import Place
from conformance.run.options import Option, at
from conformance.run.settings import EMBEDDED
from conformance.run.targets import Target, of_its_own, parse
from conformance.text.safe import printable
from conformance.text.suggest import did_you_mean

_OPTIONS: Final = {option.name: option for option in at(Place.MANY)}
"""Options of a target of a fleet: the plan of requests that ``check`` sends, and nothing that searches or writes."""
_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
LONGEST_NAME: Final = 300
STDIN: Final = "-"
_DELIMITERS: Final = (",", ";", "\t")
_START: Final = 64
"""Bytes that show the encoding of a file."""


class Part(NamedTuple):
    """Which of the endpoints are meant: each ``of``-th one, beginning with number ``first``, from 0."""

    first: int
    of: int


WHOLE: Final = Part(0, 1)


@dataclass(frozen=True)
class TargetSource:
    """A list of endpoints that can be read again and again while entered. ``name`` is how the user calls it."""

    name: str
    content: BinaryIO
    base: Path = Path()
    """Files that it names are below this."""
    part: Part = WHOLE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.content.close()

    def __iter__(self) -> Generator[Target]:
        """Yield the targets of the part in their order. Raises UsageProblem at the first of all that cannot be one."""
        seen = Marks()
        for place, (where, target) in enumerate(self._numbered()):
            _look_at(target, f"{self.name}, {where}")
            if not seen.add(target.name):
                raise UsageProblem(f"{self.name}, {where}: {printable(target.name)!r} is named twice: name each once")
            if place % self.part.of == self.part.first:
                yield target

    def _numbered(self) -> Iterator[tuple[str, Target]]:
        self.content.seek(0)
        if self.name.lower().endswith(".toml"):
            targets = parse(_utf8(self.content.read(), self.name), Path(self.name))
            yield from ((f"[[target]] {number}", target) for number, target in enumerate(targets, 1))
            return
        encoding = encoding_of(self.content.read(_START)) or "utf-8"
        self.content.seek(0)
        lines = io.TextIOWrapper(self.content, encoding=encoding, newline="")
        try:
            yield from self._lines(lines)
        except UnicodeError:
            raise UsageProblem(f"{self.name} is not {encoding.removesuffix('-sig').upper()}") from None
        except csv.Error as error:
            raise UsageProblem(f"{self.name} is no CSV file: {error}") from None
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
            raise UsageProblem(f"{self.name}, line 1: a column stands there twice")
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
            yield f"line {number}", of_its_own(url, {"target": url})


def _column(column: str, file: str) -> str:
    name = "target" if column == "url" else column.replace("-", "_")
    if name != "name" and name not in _OPTIONS:
        known = ["name", "url", *(option.replace("_", "-") for option in _OPTIONS)]
        raise UsageProblem(f"{file}, line 1: {printable(column)!r} is no column{did_you_mean(column, known)}")
    return name


def _row(names: Sequence[str], fields: Sequence[str], where: str, base: Path) -> Target:
    if len(fields) > len(names):
        raise UsageProblem(f"{where} has {len(fields)} fields, and the first line names {len(names)}")
    given = {name: field.strip() for name, field in zip(names, fields, strict=False) if field.strip()}
    if "target" not in given:
        raise UsageProblem(f"{where} has no url")
    name = given.pop("name", given["target"])
    return of_its_own(name, {key: _value(_OPTIONS[key], text, where, base) for key, text in given.items()})


def _value(option: Option, text: str, where: str, base: Path) -> object:
    """Return what the field of a CSV file says. Several values of an option stand apart by spaces."""
    spelt = option.flag.removeprefix("--")
    if option.metavar is None:
        if text.lower() not in _BOOLEANS:
            raise UsageProblem(f"{where}: {spelt} is true or false, not {printable(text)!r}")
        return _BOOLEANS[text.lower()]
    if option.multiple:
        return text.split()
    if option.metavar == "FILE":
        return str(base / text)
    try:
        return option.type(text)
    except ValueError:
        raise UsageProblem(f"{where}: {spelt} is a number, not {printable(text)!r}") from None


def _look_at(target: Target, where: str) -> None:
    """Refuse what is no part of a fleet."""
    for name in target.options:
        if name not in _OPTIONS and target.options[name] not in (None, False):
            spelt = name.replace("_", "-")
            raise UsageProblem(f"{where}: {spelt} is not for fleets: check {printable(target.name)!r} by itself")
    if target.url == EMBEDDED:
        raise UsageProblem(f"{where}: the embedded endpoint is no part of a fleet: give a URL")
    if len(target.name) > LONGEST_NAME or not target.name.isprintable():
        raise UsageProblem(f"{where}: a name is printable and of {LONGEST_NAME} characters at most")


def looked_at(source: TargetSource, environ: Mapping[str, str], given: Mapping[str, Any], *, far: bool) -> int:
    """Read all of a source as if to send, and return how many targets there are. Raises UsageProblem.

    ``given`` are options that outweigh those of the targets. Where the workers are ``far``, keys and files of a target
    are there and not here: they are taken for granted.
    """
    count = 0
    for count, target in enumerate(source, 1):  # noqa: B007 - counted
        try:
            _settled(target.with_options(given), environ, far=far)
        except UsageProblem as problem:
            raise UsageProblem(f"{source.name}, {problem}") from None
    if not count and not any(True for _ in replace(source, part=WHOLE)):
        raise UsageProblem(f"{source.name} names no endpoint: give one URL a line, a CSV file or a targets.toml")
    return count


def _settled(target: Target, environ: Mapping[str, str], *, far: bool) -> None:
    checked_url(target.url)  # a list has no room for the note on an address without scheme
    if not far:
        target.settings(own_environment(target, environ), Path())
        return
    assumed = dict.fromkeys(target.variables, "http://assumed.invalid")  # also where it is to be a proxy's URL
    options = dict(target.options)
    if options.pop("api_key_file", None):
        assumed["KEY_IN_A_FILE"] = "assumed"
        options["api_key_env"] = "KEY_IN_A_FILE"
    kept = {name: value for name, value in options.items() if name not in {"ca_bundle", "client_cert", "deviations"}}
    Target(target.name, kept).settings(assumed, Path())


def own_environment(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the run of a target may see of an environment: the variables that it names."""
    return {name: environ[name] for name in target.variables if name in environ}


def part_of(text: str) -> Part:
    """Read ``0/16``: the first of sixteen parts. Raises UsageProblem."""
    first, slash, of = text.partition("/")
    numbers = first.isascii() and first.isdecimal() and of.isascii() and of.isdecimal()
    if not slash or not numbers or int(first) >= int(of):
        raise UsageProblem(f"--part is one of so many, counted from 0, such as 0/16 to 15/16, not {printable(text)!r}")
    return Part(int(first), int(of))


def source_of(name: str, stdin: BinaryIO, part: Part = WHOLE) -> TargetSource:
    """Open a list of endpoints; standard input is read to its end. Raises UsageProblem."""
    if name == STDIN:
        from shutil import copyfileobj
        from tempfile import TemporaryFile

        kept = TemporaryFile()  # noqa: SIM115 - lives as long as the source
        copyfileobj(stdin, kept)
        return TargetSource("standard input", kept, part=part)
    try:
        return TargetSource(name, Path(name).open("rb"), Path(name).parent, part)
    except OSError as error:
        raise UsageProblem(f"{name} cannot be read ({error.strerror}): name the file of your endpoints") from None


def _utf8(content: bytes, name: str) -> str:
    try:
        return as_text(content).data.decode()
    except UnicodeDecodeError:
        raise UsageProblem(f"{name} is not UTF-8") from None

"""The options of ``table.py`` as a list.

The command line, the pytest plugin and others make their own options from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from conformance.problems import UsageProblem
from conformance.run.describing import Opt, Place
from conformance.run.table import Options

if TYPE_CHECKING:
    from conformance.run.settings import Settings


class Option(NamedTuple):
    """One option of a run. ``metavar`` is None for a flag.

    If ``default`` is None, ``usual`` may describe the default in words.
    """

    name: str
    """The name of the field in ``Options``, and of the parameter in Python."""
    type: type
    default: Any
    multiple: bool
    about: Opt
    optional: bool
    help: str

    @property
    def flag(self) -> str:
        """The option as typed on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def metavar(self) -> str | None:
        """The placeholder for the value in ``--help``; None for a flag."""
        return self.about.metavar

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, if the option has a fixed set of values."""
        return self.about.choices

    @property
    def group(self) -> str:
        """The heading in ``--help``."""
        return self.about.group.value

    @property
    def bounds(self) -> str:
        """The bounds of the value in words, or ``""`` if it has none."""
        return f"{self.about.least:g} or more" if self.about.least else ""

    @property
    def usual(self) -> str:
        """The default in words; ``""`` for a flag, or if the option has no default."""
        if self.metavar is None or self.about.usual:
            return self.about.usual
        return "" if self.default is None else f"{self.default:g}" if self.type is float else str(self.default)

    @property
    def notes(self) -> str:
        """The default and the bounds in brackets, to append to the help; ``""`` if there are none."""
        found = [f"default: {self.usual}"] if self.usual else []
        found += [self.bounds] if self.bounds else []
        return f" [{'; '.join(found)}]" if found else ""

    @property
    def full_help(self) -> str:
        """The help followed by the default and the bounds."""
        return self.help + self.notes

    def check(self, value: Any) -> None:
        """Raise UsageProblem for a value that is not among the choices or is outside the bounds."""
        for each in value if self.multiple else [value]:
            if self.choices and each not in self.choices:
                *most, last = self.choices
                raise UsageProblem(f"{self.flag} must be {', '.join(most)} or {last}, not {each!r}")
        least, above = self.about.least, self.about.above
        if least is not None and not least <= value < math.inf:
            why = f": {self.about.because}" if self.about.because else ""
            raise UsageProblem(f"{self.flag} must be {least:g} or more, not {value}{why}")
        if above is not None and not above < value < math.inf:
            raise UsageProblem(f"{self.flag} must be a number above {above:g}, not {value}")


def options_of(struct: type[Struct]) -> tuple[Option, ...]:
    """Return the options that a struct such as ``Options`` describes. Raises TypeError for a field without ``Opt``."""
    return tuple(map(_option, fields(struct)))


def _option(field: FieldInfo) -> Option:
    annotated = get_args(field.type)
    about = next((each for each in annotated[1:] if isinstance(each, Opt)), None)
    if about is None or field.default is NODEFAULT:
        raise TypeError(f"option {field.name}: write {field.name}: Annotated[TYPE, Opt(GROUP, HELP, ...)] = DEFAULT")
    kinds = get_args(annotated[0]) if isinstance(annotated[0], UnionType) else (annotated[0],)
    multiple = get_origin(annotated[0]) is tuple
    kind = str if multiple or Path in kinds else next(each for each in kinds if each is not type(None))
    if (kind is bool) is not (about.metavar is None):
        raise TypeError(f"option {field.name}: a flag is a bool without metavar, and all else has a metavar")
    default = None if multiple else field.default
    return Option(field.name, kind, default, multiple, about, type(None) in kinds, about.help)


OPTIONS: Final = options_of(Options)
"""Every option of a run, in the order of ``--help``."""


def at(place: Place) -> tuple[Option, ...]:
    """Return the options that are available in a place. For ``load``, they have the help and default of ``load``."""
    found = [option for option in OPTIONS if place in option.about.at]
    return tuple(map(_under_load, found)) if place is Place.LOAD else tuple(found)


def _under_load(option: Option) -> Option:
    about = option.about
    default = option.default if about.load_default is None else about.load_default
    usual = about.usual if about.load_default is None else ""
    return option._replace(help=about.load_help or about.help, default=default, about=about._replace(usual=usual))


def settings_from(environ: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    """Make settings from values of options by name, and from environment variables. Raises UsageProblem.

    Without ``properties`` no requests are generated, because most callers do not have that option.
    """
    from conformance.run.make import make_settings

    values = {name: value for name, value in given.items() if value is not None}
    for option in OPTIONS:
        if option.name in values:
            if option.multiple and isinstance(values[option.name], str):
                values[option.name] = (values[option.name],)
            option.check(values[option.name])
    return make_settings(environ, Options(**{"properties": 0, **values}))

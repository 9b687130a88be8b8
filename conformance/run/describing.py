"""How an option of a run is described: its heading, the places where it is available, and its help."""

from __future__ import annotations

from enum import Enum, Flag, auto
from typing import NamedTuple


class Group(Enum):
    """The headings of ``check --help``, in its order."""

    TARGET = "Target"
    KEYS = "Authentication"
    CHECKED = "What is checked"
    GENERATED = "Generated requests"
    WRITES = "Writing"
    REPORT = "Report"
    LIMITS = "Limits"


class Place(Flag):
    """Where an option is available."""

    CHECK = auto()
    """``check``, pytest, the tables of ``targets.toml`` and the columns of CSV files of targets."""
    JUDGE = auto()
    """``judge``: options that the verdict depends on, without any request."""
    LOAD = auto()
    """``load`` and its locustfile."""
    BOTH = auto()
    """``compare``, for both sides."""
    SIDE = auto()
    """``compare``, for each side separately: ``--NAME-a`` and ``--NAME-b``."""
    LIBRARY = auto()
    """``conformance.check``."""
    DRIFT = auto()
    """``drift``."""


class Opt(NamedTuple):
    """How one option is described. Its type and default are those of its field in ``Options``."""

    group: Group
    help: str
    """A phrase without a full stop, for ``--help``."""
    metavar: str | None = None
    """None makes the option a flag."""
    at: Place = Place.CHECK
    usual: str = ""
    """The default in words, if the default of the field does not say it."""
    more: str = ""
    """Further sentences for docs/options.md, in Markdown."""
    choices: tuple[str, ...] = ()
    least: float | None = None
    """The smallest allowed value."""
    because: str = ""
    """Why there is a smallest value, if that is not obvious."""
    above: float | None = None
    """The value must be greater than this."""
    own: bool = False
    """The option applies to one target, so it cannot be set for many at once."""
    load_help: str = ""
    """The help in ``load``, if it differs."""
    load_default: float | None = None

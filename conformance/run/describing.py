"""The description of an option of a run: its heading in ``--help``, where it is available, and its help."""

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
    """``judge``: options that influence the verdict even without requests."""
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
    """The description of one option. The option's type and default are those of its field in ``Options``."""

    group: Group
    help: str
    """The text for ``--help``: a phrase without a full stop."""
    metavar: str | None = None
    """The placeholder for the value in ``--help``. None makes the option a flag."""
    at: Place = Place.CHECK
    usual: str = ""
    """The default in words, if the default of the field is not the text to show."""
    more: str = ""
    """Further sentences for docs/options.md, in Markdown."""
    choices: tuple[str, ...] = ()
    least: float | None = None
    """The smallest allowed value."""
    because: str = ""
    """Why the value must not be smaller than ``least``, if that is not obvious."""
    above: float | None = None
    """The value must be greater than this."""
    own: bool = False
    """Whether the option is different for each target, so that it cannot be set for many targets at once."""
    load_help: str = ""
    """The help of the option in ``load``, if it differs from ``help``."""
    load_default: float | None = None

"""targets.toml: a file of targets, each with a name and options. Nothing is sent and no key is read here.

::

[defaults] wait-for-items = 60

[[target]] name = "prod" url = "https://cloud.comfy.org" api-key-env = "PROD_KEY"

Each target names the environment variable that contains its key. Options with a secret are refused under
``[defaults]``. A target that names no variable gets no key, whatever the environment contains. The embedded endpoint
has its own key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from conformance.exchange.sniff import as_text
from conformance.problems import UsageProblem
from conformance.run.describing import Place
from conformance.run.options import Option, at, settings_from
from conformance.run.settings import EMBEDDED, Settings
from conformance.run.table import Options
from conformance.text.suggest import did_you_mean

_BY_NAME: Final = {option.name: option for option in at(Place.CHECK) if option.name not in {"report_dir", "name"}}
_DEFAULTS: Final = {name: option.default for name, option in _BY_NAME.items() if option.default is not None}
OF_ONE: Final = tuple(option.name for option in at(Place.CHECK) if option.about.own)
"""Options that each target must set itself: its address, its secrets, and what the run may change on it."""
ISOLATE: Final = "isolate"
"""A setting of a target that is not an option of a run: whether the target is checked in its own process."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII | re.IGNORECASE)
_TAKEN: Final = frozenset(
    {"index.html", "results.jsonl", "reports.jsonl.gz", "summary.md", "compliance.json", "junit.xml"}
)
"""Names of files in the report directory. A target must not have such a name."""


@dataclass(frozen=True)
class Target:
    """One server to check.

    ``options`` are the options of the target's run by name, including the defaults of the file.
    """

    name: str
    options: Mapping[str, Any]
    isolate: bool = False
    """Whether the target is checked in its own process."""

    @property
    def url(self) -> str:
        """The base URL, or ``embedded``."""
        return str(self.options["target"])

    @property
    def dialect(self) -> str:
        """The required order of the job tuple."""
        return str(self.options.get("dialect", Options().dialect))

    @property
    def variables(self) -> frozenset[str]:
        """The names of the environment variables that contain secrets for this target or its proxy."""
        named = [self.options.get("api_key_env"), self.options.get("proxy_env")]
        named += [given.partition("=")[2] for given in self.options.get("header", ())]
        return frozenset(filter(None, named))

    def settings(self, environ: Mapping[str, str], report_dir: Path) -> Settings:
        """Return the settings of the target's run. Raises UsageProblem."""
        try:
            return settings_from(
                environ,
                {
                    **_DEFAULTS,
                    **self.options,
                    "name": None if self.name == self.url else self.name,  # without a name, a history uses the URL
                    "report_dir": report_dir,
                },
            )
        except UsageProblem as problem:
            raise UsageProblem(f"target {self.name!r}: {problem}") from None

    def with_options(self, given: Mapping[str, Any]) -> Target:
        """Return the target with some options replaced."""
        return replace(self, options={**self.options, **given})


def read(path: Path) -> tuple[Target, ...]:
    """Read a file of targets. Raises UsageProblem."""
    try:
        text = as_text(path.read_bytes()).data.decode()
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read ({error.strerror}): give the name of your targets file") from None
    except UnicodeDecodeError:
        raise UsageProblem(f"{path} is not UTF-8: save it as UTF-8") from None
    return parse(text, path)


def parse(text: str, path: Path) -> tuple[Target, ...]:
    """Return the targets in the text of a file, in order. Paths in it are relative to the file. Raises UsageProblem."""
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageProblem(f"{path} is not valid TOML: {error}") from None
    defaults, entries = _tables(content, path)
    isolate = _isolate(defaults, f"{path}, [defaults]")
    usual = _options(defaults, f"{path}, [defaults]", path.parent)
    for name in OF_ONE:
        if name in usual:
            raise UsageProblem(
                f"{path}, [defaults]: {_spelt(name)} applies to one target: move it below its [[target]]"
            )
    targets = [_target(number, {"isolate": isolate, **entry}, usual, path) for number, entry in enumerate(entries, 1)]
    seen: set[str] = set()
    for target in targets:
        if target.name.lower() in seen:
            raise UsageProblem(f"{path}: two targets have the name {target.name!r}: rename one")
        seen.add(target.name.lower())
    return tuple(targets)


def _tables(content: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    for name in content:
        if name not in {"defaults", "target"}:
            raise UsageProblem(f"{path}: unknown key {name!r}{did_you_mean(name, ('defaults', 'target'))}")
    defaults, entries = content.get("defaults", {}), content.get("target", [])
    if not isinstance(defaults, dict):
        raise UsageProblem(f"{path}: defaults must be a table: write [defaults]")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageProblem(f"{path}: target must be a list of tables: write [[target]] above each")
    if not entries:
        raise UsageProblem(f"{path} names no target: add one below [[target]], with name and url")
    return defaults, entries


def _target(number: int, entry: dict[str, Any], usual: Mapping[str, Any], path: Path) -> Target:
    where = f"{path}, [[target]] {number}"
    name = entry.get("name")
    if not isinstance(name, str) or not is_directory(name):
        problem = "has no name" if name is None else f"cannot be named {name!r}"
        raise UsageProblem(f'{where} {problem}: use letters, digits, dots and dashes, such as name = "prod"')
    where = f"{path}, target {name!r}"
    isolate = _isolate(entry, where)
    own = _options({key: value for key, value in entry.items() if key != "name"}, where, path.parent)
    if "target" not in own:
        raise UsageProblem(f'{where} has no url: give its base URL, such as url = "http://127.0.0.1:8188"')
    return replace(make_target(name, own, usual), isolate=isolate)


def is_directory(name: str) -> bool:
    """Return whether a target's name can also be the name of its report directory."""
    return _NAME.fullmatch(name) is not None and name.lower() not in _TAKEN


def make_target(name: str, own: Mapping[str, Any], usual: Mapping[str, Any] = MappingProxyType({})) -> Target:
    """Return a target with the options ``own``, and the defaults ``usual`` for the rest.

    It gets no key unless ``own`` names one.
    """
    keyed = own["target"] == EMBEDDED or bool({"api_key_env", "api_key_file"} & own.keys())
    return Target(name, {**usual, "no_key": not keyed, **own})


def _isolate(table: Mapping[str, Any], where: str) -> bool:
    value = table.get(ISOLATE, False)
    if not isinstance(value, bool):
        raise UsageProblem(f"{where}: {ISOLATE} must be true or false, not {value!r}")
    return value


def _options(table: Mapping[str, Any], where: str, base: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == ISOLATE:
            continue
        name = "target" if key == "url" else key.replace("-", "_")
        if name not in _BY_NAME:
            known = ["name", "url", ISOLATE, *map(_spelt, _BY_NAME)]
            problem = (
                ": use --report-dir, which applies to all targets"
                if name == "report_dir"
                else did_you_mean(_spelt(key), known)
            )
            raise UsageProblem(f"{where}: unknown option {key!r}{problem}")
        if name in found:
            raise UsageProblem(f"{where}: {_spelt(name)} is given twice, in two spellings: remove one")
        found[name] = beside(base, _BY_NAME[name], _check_type(_BY_NAME[name], value, where))
    return found


def _check_type(option: Option, value: Any, where: str) -> Any:
    """Return the value of an option. Raises UsageProblem if it has the wrong type."""
    if option.metavar is None:
        wanted, right = "true or false", isinstance(value, bool)
    elif option.multiple:
        wanted = f'a list, such as ["{option.choices[0] if option.choices else option.metavar}"]'
        right = isinstance(value, list) and all(isinstance(each, str) for each in value)
        right = right and not (option.choices and set(value) - set(option.choices))
    elif option.choices:
        wanted, right = f"one of {', '.join(option.choices)}", value in option.choices
    elif option.type is str:
        wanted, right = "a string in quotes", isinstance(value, str)
    else:
        kinds = (int, float) if option.type is float else (int,)
        wanted = "a number" if option.type is float else "a whole number"
        right = isinstance(value, kinds) and not isinstance(value, bool)
    if not right:
        raise UsageProblem(f"{where}: {_spelt(option.name)} must be {wanted}, not {value!r}")
    return value


def beside(base: Path, option: Option, value: Any) -> Any:
    """Return an option's value. A relative path in it becomes relative to ``base``, the targets file's directory."""
    if isinstance(value, list):
        return [beside(base, option, each) for each in value]
    names_a_file = option.metavar in {"FILE", "DIR"} and value != "none" and not str(value).startswith("github:")
    return str(base / value) if names_a_file else value


def _spelt(name: str) -> str:
    return "url" if name == "target" else name.replace("_", "-")

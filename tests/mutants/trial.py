"""Try one mutant: a forked process loads the changed module instead of the original, and runs tests until one fails.

Modules that import none of the changed ones (pytest, Hypothesis, the reference endpoint) are loaded once, before the
forks.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

if TYPE_CHECKING:
    from changes import Change

MEMORY: Final = 4 << 30
"""Bytes of address space of a trial: a mutant may build something huge."""
ENDLESS: Final = "does not end"
_SURVIVED: Final = "survived"
_OUT_OF_TIME: Final = {signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL}


class Stage(NamedTuple):
    """Test files that run in one process, and the seconds of processor time and of wall time that they may take."""

    files: Sequence[str]
    processor_s: int
    patience_s: int


@dataclass(frozen=True)
class Ground:
    """The modules to mutate and the tests to run.

    ``modules`` are those that are changed, by name. ``near`` names the test files about each module, which run first.
    ``tests`` are all test files. ``preloaded`` are modules that import none of the changed ones. A trial may take
    ``near_s`` seconds of processor time for the nearby tests, ``processor_s`` for the others, and ``patience_s`` of
    wall time for either.
    """

    root: Path
    modules: dict[str, Path]
    near: dict[str, Sequence[str]]
    tests: Sequence[str]
    preloaded: Sequence[str] = ()
    paths: Sequence[Path] = ()
    near_s: int = 10
    processor_s: int = 60
    patience_s: int = 300

    def stages(self, module: str, *, near_only: bool) -> list[Stage]:
        """Return the tests to run on each mutant of a module, the nearby ones first."""
        near = tuple(self.near.get(module, ()))
        rest = () if near_only else tuple(name for name in self.tests if name not in near)
        stages = Stage(near, self.near_s, self.patience_s), Stage(rest, self.processor_s, self.patience_s)
        return [stage for stage in stages if stage.files]


class _Loader(SourceFileLoader):
    """Loads a module from changed source."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the interface
        return self._code


@dataclass(frozen=True)
class _Finder(MetaPathFinder):
    """Finds the changed module."""

    name: str
    path: Path
    code: CodeType

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        if fullname != self.name:
            return None
        return spec_from_file_location(fullname, self.path, loader=_Loader(fullname, str(self.path), self.code))


class _First:
    """A pytest plugin that records the first test that fails."""

    failed: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid


def prepare(ground: Ground) -> None:
    """Load the modules that no mutant changes."""
    os.chdir(ground.root)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(path) for path in ground.paths]
    for name in ground.preloaded:
        importlib.import_module(name)
    loaded = [name for name in ground.modules if name in sys.modules]
    assert not loaded, f"loaded before it is changed: {loaded}"
    gc.freeze()


def start(change: Change | None, stage: Stage) -> tuple[int, int]:
    """Fork a process that runs tests with a change, or None for no change. Return its id, and a pipe for its result."""
    told, telling = os.pipe()
    process = os.fork()
    if process:
        os.close(telling)
        return process, told
    os.close(told)
    try:
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # an interrupt must not count as killing the mutant: tried() ends the trials
        for number in _OUT_OF_TIME - {signal.SIGKILL}:
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (stage.processor_s, stage.processor_s + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(stage.patience_s)
        os.write(telling, _run(change, stage.files).encode())
    finally:
        os._exit(0)


def _run(change: Change | None, files: Sequence[str]) -> str:
    """Return the id of the first test that fails, or ``_SURVIVED``."""
    if change is not None:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            code = compile(change.source, str(change.path), "exec", dont_inherit=True)
        sys.meta_path.insert(0, _Finder(change.module, change.path, code))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    first = _First()
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib"]
    status = pytest.main([*options, *files], plugins=[first])
    return first.failed or (_SURVIVED if status == pytest.ExitCode.OK else f"pytest ends with status {int(status)}")


def outcome(status: int, told: int) -> str | None:
    """Return what killed the mutant of a process that ended, or None if it survived.

    Raises:
        RuntimeError: if the process reported nothing: the trial itself is broken.
    """
    with os.fdopen(told) as stream:
        found = stream.read()
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return ENDLESS if number in _OUT_OF_TIME else f"ended by signal {number}"
    if not found:
        raise RuntimeError("a trial ended without a result")
    return None if found == _SURVIVED else found

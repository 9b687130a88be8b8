"""The results of the mutants, one per line of a file, so that an interrupted run continues where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from changes import Change
from figures import digest_of_code


def digest(paths: Iterable[Path]) -> str:
    """Return a digest of the contents of files."""
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()


@dataclass
class Results:
    """Outcomes by change: the test that killed the mutant, or None if it survived.

    A killed mutant is not tried again until the code of its module changes, and a surviving one until that or a test
    changes. To try all of them again, remove the file.
    """

    file: Path
    tests: str
    _known: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    _modules: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A file that cannot be written fails here, before the first trial.
        with self.file.open("a+", encoding="utf-8") as file:
            file.seek(0)
            known = file.read()
            if known and not known.endswith("\n"):
                file.write("\n")
        for line in known.splitlines():
            try:
                *key, module, tests, killer = json.loads(line)
            except ValueError:
                continue  # the line was cut off by an interruption
            if killer is not None or tests == self.tests:
                self._known[*key, module] = killer

    def _key(self, change: Change) -> tuple[object, ...]:
        if change.module not in self._modules:
            self._modules[change.module] = digest_of_code(change.path.read_text(encoding="utf-8"))
        return *change.key, self._modules[change.module]

    def __contains__(self, change: Change) -> bool:
        return self._key(change) in self._known

    def __getitem__(self, change: Change) -> str | None:
        return self._known[self._key(change)]

    def add(self, change: Change, killer: str | None, *, keep: bool = True) -> None:
        """Note an outcome. ``keep`` writes it to the file."""
        key = self._key(change)
        self._known[key] = killer
        if not keep:
            return
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([*key, self.tests, killer]) + "\n")

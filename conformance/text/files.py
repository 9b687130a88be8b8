"""Write files so that a reader never sees a half-written one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write all files, then rename each to its final name. If this raises OSError, existing files are unchanged."""
    written: list[tuple[Path, Path]] = []
    try:
        for path, content in contents.items():
            temporary = beside(path.parent, path.name)
            written.append((temporary, path))
            write_new(temporary, content)
        for temporary, final in written:
            temporary.replace(final)
    finally:
        for temporary, _ in written:
            with suppress(OSError):
                temporary.unlink()


def beside(directory: Path, name: str) -> Path:
    """Return a new temporary path in ``directory``, so that the file can be renamed to its final name there."""
    return directory / f".{name}.{os.urandom(4).hex()}.tmp"


def write_new(path: Path, content: bytes) -> None:
    """Create a new file, and return when its content is on the disk. Raises OSError, also if the file exists."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

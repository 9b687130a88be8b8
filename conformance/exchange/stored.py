"""Store large response bodies in a temporary file, so that a run does not keep all of them in memory."""

from __future__ import annotations

import hashlib
import weakref
from threading import Lock
from typing import IO, Final

ALWAYS_STORED: Final = 1 << 20
"""A body with more bytes than this is always stored in the file."""
IN_MEMORY: Final = 32 << 20
"""If small bodies together have more bytes than this, further ones are stored in the file."""


class StoredBody:
    """A body that is stored in the file of a ``BodyStore``. ``size`` is its length in bytes."""

    __slots__ = ("_at", "_store", "sha256", "size")

    def __init__(self, store: BodyStore, at: int, size: int, sha256: str) -> None:
        self._store, self._at, self.size, self.sha256 = store, at, size, sha256

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes of the body from ``start`` to ``end``, by default all."""
        end = self.size if end is None else min(end, self.size)
        return self._store.read(self._at + start, max(0, end - start))

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        """Pickle as bytes, because another process does not have the file."""
        return bytes, (self.read(),)


class BodyStore:
    """Keeps each distinct body once: small ones in memory, the others in an unnamed file that is deleted after the run.

    The file is in the directory for temporary files (``TMPDIR``). ``held`` counts the bytes in memory.
    """

    def __init__(self) -> None:
        self.held = 0
        self._bodies: dict[str, bytes | StoredBody] = {}
        self._file: IO[bytes] | None = None
        self._size = 0
        self._lock = Lock()
        self._last: tuple[int, int, bytes] = (0, 0, b"")

    def keep(self, content: bytes) -> bytes | StoredBody:
        """Store a body, and return it, or a ``StoredBody`` if it is in the file. An equal body is stored only once.

        If the file cannot be written, the body is kept in memory.
        """
        digest = sha256_of(content)
        body = self._bodies.get(digest)
        if body is None:
            body = content
            if len(content) > ALWAYS_STORED or self.held + len(content) > IN_MEMORY:
                body = self._stored(content, digest)
            if isinstance(body, bytes):
                self.held += len(content)
            self._bodies[digest] = body
        return body

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes of the file from the offset ``at``.

        The last large body is cached, because a body is often read several times in a row.
        """
        with self._lock:
            begin, length, content = self._last
            if begin <= at and at + size <= begin + length:
                return content if (begin, length) == (at, size) else content[at - begin : at - begin + size]
            assert self._file is not None
            self._file.seek(at)
            content = self._file.read(size)
            if len(content) != size:
                raise OSError("the file of stored bodies is damaged")
            if size > ALWAYS_STORED:
                self._last = at, size, content
            return content

    def _stored(self, content: bytes, sha256: str) -> bytes | StoredBody:
        import tempfile  # few runs need a file

        try:
            with self._lock:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(prefix="comfy-conformance-")  # noqa: SIM115 - open for the run
                    weakref.finalize(self, self._file.close)
                at = self._size
                self._file.seek(at)
                self._file.write(content)
                self._file.flush()
                self._size += len(content)
        except OSError:
            return content
        return StoredBody(self, at, len(content), sha256)


def sha256_of(body: bytes | StoredBody) -> str:
    """Return the SHA-256 of a body in hexadecimal."""
    return hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body.sha256


def start_of(body: bytes | StoredBody, size: int) -> bytes:
    """Return the first bytes of a body."""
    return body[:size] if isinstance(body, bytes) else body.read(0, size)


def bytes_of(body: bytes | StoredBody) -> bytes:
    """Return the bytes of a body, which may be stored in a file."""
    return body if isinstance(body, bytes) else body.read()

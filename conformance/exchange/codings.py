"""Decode content codings such as gzip (RFC 9110 §8.4), with a limit on the size of the result."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final


def _brotli() -> Any | None:
    """Return an installed Brotli library that can limit its output, or None.

    Without a limit, 15 bytes may become a gigabyte.
    """
    for name in ("brotli", "brotlicffi"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(module.Decompressor, "can_accept_more_data"):
            return module
    return None


_BROTLI: Final = _brotli()
DECODABLE: Final = ("gzip", "deflate", *(() if _BROTLI is None else ("br",)))
"""Content codings that the suite can decode."""
CODINGS: Final = 8
"""Maximum number of nested codings. Each needs memory."""
_PIECE: Final = 1 << 16
"""Number of bytes that are decoded in one step."""
_FEW: Final = 1 << 9
"""Number of bytes that are decoded in the first step of each further member of a gzip stream."""


class ContentTooLarge(Exception):
    """The body exceeds the size limit, as received or after decoding, so it was not read to its end."""


class BrokenCoding(ValueError):
    """The bytes of a body cannot be decoded as Content-Encoding says."""


class Decoder:
    """Decodes one body piece by piece, up to ``limit`` bytes.

    ``codings`` are in the order of the Content-Encoding header (the last one was applied last). Raises ContentTooLarge
    above the limit, and BrokenCoding if the bytes cannot be decoded.
    """

    def __init__(self, codings: Sequence[str], limit: int) -> None:
        if len(codings) > CODINGS:
            msg = f"{len(codings)} nested codings"
            raise BrokenCoding(msg)
        self._steps = [_inflater(coding) for coding in reversed(codings) if coding != "identity"]
        self._room = [limit] * (len(self._steps) + 1)
        self.content = bytearray()

    def feed(self, data: bytes) -> None:
        """Decode the next bytes received."""
        for start in range(0, len(data), _PIECE):
            self._run(data[start : start + _PIECE], 0)

    def finish(self) -> None:
        """End the body. Raises BrokenCoding if a coding still expects bytes."""
        for step in self._steps:
            step.finish()

    def _run(self, data: bytes, depth: int) -> None:
        self._room[depth] -= len(data)
        if self._room[depth] < 0:
            raise ContentTooLarge
        if depth == len(self._steps):
            self.content += data
            return
        for piece in self._steps[depth].pieces(data):
            self._run(piece, depth + 1)


class _Inflate:
    """One gzip or deflate stream. By the RFC, deflate has a zlib wrapper. Streams without it are decoded, too."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._zlib: zlib._Decompress | None = None

    def pieces(self, data: bytes) -> Iterable[bytes]:
        at, step, left = 0, _PIECE, b""
        while left or at < len(data):
            if self._zlib is not None and self._zlib.eof and self._coding != "gzip":
                raise self._broken("there are bytes after the end of the stream")
            if self._zlib is not None and self._zlib.eof:
                step = _FEW  # zlib copies the rest of its input after each member: keep it small
            given = left or data[at : at + step]
            if self._zlib is None or self._zlib.eof:  # RFC 1952 §2.2: gzip members are concatenated
                self._zlib = zlib.decompressobj(self._window(given[0]))
            at, step = (at, step) if left else (at + len(given), min(2 * step, _PIECE))
            try:
                piece = self._zlib.decompress(given, _PIECE)
            except zlib.error as error:
                raise self._broken(str(error)) from error
            yield piece
            left = self._zlib.unused_data or self._zlib.unconsumed_tail

    def finish(self) -> None:
        if self._zlib is not None and not self._zlib.eof:
            raise self._broken("the stream ends too early")

    def _window(self, start: int) -> int:
        if self._coding == "gzip":
            return zlib.MAX_WBITS | 16
        return zlib.MAX_WBITS if start & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS

    def _broken(self, why: str) -> BrokenCoding:
        return BrokenCoding(f"{self._coding}: {why}")


class _Unbrotli:
    """One Brotli stream (RFC 7932)."""

    def __init__(self, brotli: Any) -> None:
        self._error = brotli.error
        self._stream = brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterable[bytes]:
        try:
            yield self._stream.process(data, output_buffer_limit=_PIECE)
            while not self._stream.can_accept_more_data():
                yield self._stream.process(b"", output_buffer_limit=_PIECE)
        except self._error as error:
            msg = f"br: {error}"
            raise BrokenCoding(msg) from error

    def finish(self) -> None:
        if not self._stream.is_finished():
            msg = "br: the stream ends too early"
            raise BrokenCoding(msg)


def _inflater(coding: str) -> _Inflate | _Unbrotli:
    name = {"x-gzip": "gzip"}.get(coding, coding)
    if name not in DECODABLE:
        msg = f"{coding[:40]}: the request did not ask for this coding"
        raise BrokenCoding(msg)
    return _Unbrotli(_BROTLI) if name == "br" else _Inflate(name)


def decode(raw: bytes, codings: Sequence[str], limit: int) -> tuple[bytes, str | None]:
    """Decode a complete body. Returns the content, and why it could not be decoded completely, or None.

    Raises ContentTooLarge above ``limit`` bytes.
    """
    try:
        decoder = Decoder(codings, limit)
    except BrokenCoding as error:
        return raw, str(error)
    try:
        decoder.feed(raw)
        decoder.finish()
    except BrokenCoding as error:
        return bytes(decoder.content), str(error)
    return bytes(decoder.content), None

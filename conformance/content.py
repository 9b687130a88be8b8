"""Content codings (RFC 9110 §8.4): from the bytes on the wire to the bytes of the representation, bounded."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

DECODABLE: Final = ("gzip", "deflate")
"""Codings that we ask for and can undo."""
_CHUNK: Final = 1 << 20


class ContentTooLarge(Exception):
    """The body passed the bound on bytes after decompression: nothing can be said of the rest."""


class BrokenCoding(ValueError):
    """The bytes are not what Content-Encoding says they are."""


class Decoder:
    """Undoes the content codings of one body piece by piece; never holds more than ``limit`` bytes.

    ``codings`` are in the order of the header (the last one was applied last). Raises
    ``ContentTooLarge`` past the limit and ``BrokenCoding`` where a coding cannot be undone.
    """

    def __init__(self, codings: Sequence[str], limit: int) -> None:
        self._steps = [_inflater(coding) for coding in reversed(codings) if coding != "identity"]
        self._limit = limit
        self.content = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the wire."""
        self._run(data, 0)

    def finish(self) -> None:
        """Say that the body ended. Raises BrokenCoding where a coding still expected bytes."""
        for step in self._steps:
            step.finish()

    def _run(self, data: bytes, depth: int) -> None:
        if depth == len(self._steps):
            if len(self.content) + len(data) > self._limit:
                raise ContentTooLarge
            self.content += data
            return
        for piece in self._steps[depth].pieces(data):
            self._run(piece, depth + 1)


class _Inflate:
    """One gzip or deflate stream. Deflate is zlib-wrapped by the RFC, bare with some servers: both are read."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
        self._started = False

    def pieces(self, data: bytes) -> Iterable[bytes]:
        if not self._started and self._coding == "deflate" and data:
            if data[0] & 0x0F != zlib.DEFLATED:
                self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._started = self._started or bool(data)
        while data and not self._zlib.eof:
            try:
                piece = self._zlib.decompress(data, _CHUNK)
            except zlib.error as error:
                msg = f"{self._coding}: {error}"
                raise BrokenCoding(msg) from error
            yield piece
            data = self._zlib.unconsumed_tail

    def finish(self) -> None:
        if self._started and not self._zlib.eof:
            msg = f"{self._coding}: the stream ends before its end mark"
            raise BrokenCoding(msg)


def _inflater(coding: str) -> _Inflate:
    name = {"x-gzip": "gzip"}.get(coding, coding)
    if name not in DECODABLE:
        msg = f"{coding[:40]}: no coding that was asked for"
        raise BrokenCoding(msg)
    return _Inflate(name)


def decode(raw: bytes, codings: Sequence[str], limit: int) -> tuple[bytes, str | None]:
    """Undo the codings of a whole body. Returns the content and what is wrong with the coding, if anything.

    Raises ContentTooLarge past ``limit`` bytes.
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

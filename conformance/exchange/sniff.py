"""Recognise the encoding of a file, and its format if it is not a recording that can be read."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import Final, NamedTuple

UNPACKED: Final = 1 << 30
"""Maximum size in bytes of a file that is unpacked."""
_COLOUR: Final = re.compile(rb"\x1b\[[0-9;]*m")
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_START: Final = 4096
_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive (Fiddler's .saz is one): unpack it, or export the session as HAR"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"\xfd7zXZ\0", "an xz archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it"),
    (b"\xd4\xc3\xb2\xa1", "a capture of network packets: export the HTTP exchanges as HAR"),
    (b"\xa1\xb2\xc3\xd4", "a capture of network packets: export the HTTP exchanges as HAR"),
    (b"\x0a\x0d\x0d\x0a", "a capture of network packets: export the HTTP exchanges as HAR"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"WARC/", "a WARC archive: export the HTTP exchanges as HAR"),
)
_TEXTS: Final = (
    (re.compile(rb"\d{1,9}:\d{1,9}:[a-z_]+;"), "a flow file of mitmproxy: mitmdump -nr FILE --set hardump=out.har"),
    (
        re.compile(rb"(?:[^\n]*\n){0,40}?[<>] (?:HTTP/\d|[A-Z]+ \S+ HTTP/\d)"),
        "the log of curl -v: record the response with curl -i",
    ),
    (
        re.compile(rb"(?:[^\n]*\n){0,40}?[ \t]+HTTP/\d(?:\.\d)? \d{3}"),
        "the log of wget -S: record the response with wget --save-headers",
    ),
    (
        re.compile(
            rb"(?:###[^\n]*\n|@\w+[^\n]*\n|\s)*+"
            rb"(?:[A-Z]{3,7} (?:https?://|/)\S*(?: HTTP/[\d.]+)?|curl [^\n]+)\s*(?:\n|$)"
        ),
        "a request without its response: record the response with curl -i",
    ),
    (re.compile(rb'\s*\[\s*\{\s*"status"\s*:\s*"COMPLETE"'), "a session of Charles: export it as HAR"),
    (
        re.compile(rb'\s*\{(?:\s*"[\w$]+"\s*:\s*(?:"[^"]*"|\d+)\s*,)*\s*"__export_format"\s*:'),
        "an export of Insomnia: export the responses as HAR",
    ),
    (
        re.compile(rb'\s*\{\s*"info"\s*:\s*\{[^{}]*"(?:_postman_id|schema)"\s*:'),
        "a collection of Postman, which contains only requests: record the response",
    ),
    (re.compile(rb'\s*(?:\{\s*)?"openapi"\s*:|\s*openapi:\s'), "an OpenAPI document"),
)


class Content(NamedTuple):
    """The text of a file in UTF-8 without byte order mark.

    ``recoded`` says that the file had a byte order mark or another encoding.
    """

    data: bytes
    recoded: bool = False


class Unusable(ValueError):
    """The file cannot be read as a recording. The message says what it looks like."""


def unpack(data: bytes) -> bytes:
    """Return the decompressed content of a gzip file. Other files are returned unchanged. Raises Unusable."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    import gzip
    import zlib
    from io import BytesIO

    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            found = file.read(UNPACKED + 1)
    except (EOFError, OSError, zlib.error):
        raise Unusable("looks like a gzip archive that was cut off or damaged") from None
    if len(found) > UNPACKED:
        raise Unusable(f"looks like a gzip archive of more than {UNPACKED:,} bytes")
    return found


def as_text(data: bytes) -> Content:
    """Return the text of a file in UTF-8. Windows shells and editors write UTF-16 and byte order marks."""
    encoding = encoding_of(data)
    recoded = encoding is not None
    if encoding is not None:
        data = data.decode(encoding, "replace").lstrip("\ufeff").encode()
    if b"\x1b[" in data[:_START]:  # terminal colours, which cannot be part of JSON
        return Content(_COLOUR.sub(b"", data).removeprefix(BOM_UTF8), recoded=True)
    return Content(data, recoded)


def encoding_of(start: bytes) -> str | None:
    """Return the encoding by the first bytes of a file. None for UTF-8 without a byte order mark."""
    return next((name for mark, name in _BOMS if start.startswith(mark)), None) or _by_zeros(start)


def _by_zeros(data: bytes) -> str | None:
    """Return the encoding if it is UTF-16 without a byte order mark: every other byte of ASCII text is 0."""
    start = data[:64]
    if len(start) < 4:
        return None
    if not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    return "utf-16-be" if not any(start[::2]) and all(start[1::2]) else None


def looks_like(data: bytes) -> str | None:
    """Return, for a message, what a file looks like if it is not a recording. None if it may be one."""
    if not data or data.isspace():
        return "is empty"
    for magic, what in _MAGIC:
        if data.startswith(magic):
            return f"looks like {what}"
    if data[257:262] == b"ustar":
        return "looks like a tar archive: unpack it"
    start = data[:_START]
    return next((f"looks like {what}" for form, what in _TEXTS if form.match(start)), None)

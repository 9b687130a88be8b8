"""Turn a request in a report into a ``curl`` command line that sends it again, with the key from the environment."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.secrets import REDACTED
from conformance.judge.report import RecordedExchange, RecordedRequest

KEY_VARIABLE: Final = "COMFY_API_KEY"

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN: Final = re.compile(r"[\w /:;,.=+*()?&%#~<>{}\[\]'-]*", re.ASCII)
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


def curl_line(exchange: RecordedExchange) -> str:
    """Return a bash command line that sends the request of ``exchange`` again with curl."""
    request = exchange.request
    # A wrong key that was redacted must not become the right one.
    key = "$" + KEY_VARIABLE if request.credential in {"given", "lower-case name"} else "not-a-key"
    words = ["curl", "-sS", "-i", "--globoff"]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != "GET":
        words += ["-X", _quote(request.method, key)]
    # Only a token can have been sent as a name (and "@name" would make curl read a file).
    sent = [(name, _one_line(value)) for name, value in request.headers if _TOKEN.fullmatch(name)]
    given = {name.lower(): value for name, value in sent}
    if "gzip" in given.get("accept-encoding", "").lower():
        words.append("--compressed")
    url = urlsplit(_one_line(request.url))
    if "/." in url.path:
        words.append("--path-as-is")
    for name, value in sent:
        lower = name.lower()
        if lower in _FRAMING or (lower == "host" and value == url.netloc.rpartition("@")[2]):
            continue  # curl adds these headers itself
        words += ["-H", _quote(f"{name}: {value}" if value else f"{name};", key, "latin-1")]
    for name in ("Accept", "User-Agent"):
        if name.lower() not in given:
            words += ["-H", f"'{name}:'"]
    if url.scheme not in {"http", "https"}:
        words.append("--url")  # else it could be taken for an option
    words.append(_quote(_one_line(request.url), key))
    return " ".join([*words, *_body(request, key)])


def _body(request: RecordedRequest, key: str) -> list[str]:
    """Return the curl arguments that send the request body: from a file if the report has only a part of it."""
    if request.size == len(request.body.encode()):
        return ["--data-binary", _quote(request.body, key)] if request.size else []
    return ["--data-binary", "@body.json", f"# the {request.size:,} bytes of this request"]


def _one_line(text: str) -> str:
    """Remove the characters that must not occur in an argument or a header field, such as line breaks."""
    return re.sub(r"[\r\n\0]+", " ", text).strip(" \t")


def _quote(text: str, key: str, charset: str = "utf-8") -> str:
    """Quote text for bash. The placeholder of the redacted key becomes ``key``, such as ``$COMFY_API_KEY``."""
    if REDACTED not in text:
        return _literal(text, charset)
    if _PLAIN.fullmatch(text.replace(REDACTED, "")):
        return '"' + text.replace(REDACTED, key) + '"'
    return f'"{key}"'.join(_literal(part, charset) if part else "" for part in text.split(REDACTED))


def _literal(text: str, charset: str) -> str:
    """Quote text for bash so that every byte is visible and none is a control character for the terminal."""
    if text.isascii() and text.isprintable():
        import shlex

        return shlex.quote(text)
    try:
        raw = text.encode(charset)
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "backslashreplace")
    return "$'" + "".join(f"\\x{b:02x}" if not 0x20 <= b < 0x7F or b in b"\\'" else chr(b) for b in raw) + "'"

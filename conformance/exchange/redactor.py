"""Taking keys out of whatever is kept or shown, in every form in which servers write them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import chain, product
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from conformance.exchange.headers import Headers
from conformance.exchange.secrets import REDACTED, SHORTEST_KEY, Secret

PIECE: Final = 12
"""Characters of a longer key that give it away by themselves."""
SHORTEST_IN_BASE64: Final = 8
"""Characters of base64 that are taken for a key's, whatever stands around them."""
_MARKS: Final = ("\\", "%", "&")
"""What begins an escape in JSON, URLs and HTML."""


class Redactor:
    """Puts ``REDACTED`` where a key stands.

    Whole, in upper and lower case, reversed, in pieces, and as URLs, JSON, HTML, base64, hexadecimal digits and UTF-16
    write it, also where they write what another of them has written.
    """

    def __init__(self, *secrets: Secret | None) -> None:
        keys = {key for secret in secrets if secret is not None for key in _parts(secret.reveal())}
        forms = set(chain.from_iterable(_forms(key) for key in keys))
        self._forms = sorted(forms, key=len, reverse=True)
        wide = [key.encode(coding) for key in keys for coding in ("utf-16-le", "utf-16-be")]
        self._raw_forms = [*(form.encode() for form in self._forms), *wide]
        escapes = "|".join(sorted(map(_escaped, keys), key=len, reverse=True))
        self._escaped = re.compile(escapes) if keys else None
        self._raw_escaped = re.compile(escapes.encode()) if keys else None

    def text(self, value: str) -> str:
        """Redact text."""
        if self._escaped is not None and any(mark in value for mark in _MARKS):
            value = self._escaped.sub(REDACTED, value)
        for form in self._forms:
            if form in value:
                value = value.replace(form, REDACTED)
        return value

    def content(self, value: bytes) -> bytes:
        """Redact bytes."""
        if self._raw_escaped is not None and any(mark.encode() in value for mark in _MARKS):
            value = self._raw_escaped.sub(REDACTED.encode(), value)
        for form in self._raw_forms:
            if form in value:
                value = value.replace(form, REDACTED.encode())
        return value

    def headers(self, headers: Headers) -> Headers:
        """Redact names and values of fields."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


def _parts(secret: str) -> set[str]:
    """Return a secret, and what of it is one by itself: a token after its scheme, a cookie's value, a password."""
    parts = urlsplit(secret if "://" in secret else "")
    user, password = parts.username or "", parts.password
    tokens = [secret.rpartition(" ")[2], *(pair.partition("=")[2] for pair in secret.split("; "))]
    if password is not None:
        tokens += [password, unquote(password), f"{unquote(user)}:{unquote(password)}"]  # the last as Basic has it
    return {secret, *(token for token in tokens if len(token) >= SHORTEST_KEY)}


def _forms(key: str) -> set[str]:
    """Return the ways in which a key is written, as they stand."""
    from html import escape

    bases = {base(key.encode()).decode().rstrip("=") for base in (base64.b64encode, base64.urlsafe_b64encode)}
    pieces = {key[start : start + PIECE] for start in range(len(key) - PIECE + 1)}
    digits = key.encode().hex()
    cases = {key.lower(), key.upper(), key.swapcase(), digits, digits.upper()}
    return {key, key[::-1], escape(key), quote(key, safe=""), quote(key), *bases, *_in_base64(key), *pieces, *cases}


def _in_base64(key: str) -> Iterator[str]:
    """Yield what base64 makes of a key within a longer text: a third of its places each begins anew."""
    for base, before in product((base64.b64encode, base64.urlsafe_b64encode), range(3)):
        inner = base(bytes(before) + key.encode()).decode()[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        if len(inner) >= SHORTEST_IN_BASE64:
            yield inner


def _escaped(key: str) -> str:
    """Return a pattern of the ways in which JSON, URLs and HTML may write any character of a key, once or again.

    What repeats is bounded: a server could write it a million times.
    """
    return "".join(map(_any_way, key))


def _any_way(character: str) -> str:
    from html.entities import codepoint2name

    code = ord(character)
    named = {codepoint2name.get(code), "apos" if character == "'" else None} - {None}
    html = "|".join([f"#0{{0,8}}{code}", f"#(?i:x0{{0,8}}{code:x})", *sorted(map(str, named))])
    return (
        rf"(?:\\{{0,8}}{re.escape(character)}|\\{{1,8}}u(?i:{code:04x})"
        rf"|%(?:25){{0,4}}(?i:{code:02x})|&(?:amp;){{0,4}}(?:{html});)"
    )

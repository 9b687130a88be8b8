"""Taking keys out of whatever is kept or shown, in every form in which servers write them."""

from __future__ import annotations

import base64
import re
from itertools import chain
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from conformance.exchange import REDACTED, Headers
from conformance.settings import SHORTEST_KEY, Secret

PIECE: Final = 12
"""Characters of a longer key that give it away by themselves."""


class Redactor:
    """Puts ``REDACTED`` where a key stands: whole, reversed, in pieces, and as URLs, JSON, HTML and base64 write it."""

    def __init__(self, *secrets: Secret | None) -> None:
        keys = {key for secret in secrets if secret is not None for key in _parts(secret.reveal())}
        forms = set(chain.from_iterable(_forms(key) for key in keys))
        self._forms = sorted(forms, key=len, reverse=True)
        self._raw_forms = [form.encode() for form in self._forms]
        escapes = "|".join(sorted(map(_escaped, keys), key=len, reverse=True))
        self._escaped = re.compile(escapes) if keys else None
        self._raw_escaped = re.compile(escapes.encode()) if keys else None

    def text(self, value: str) -> str:
        """Redact text."""
        if self._escaped is not None and ("\\" in value or "%" in value):
            value = self._escaped.sub(REDACTED, value)
        for form in self._forms:
            if form in value:
                value = value.replace(form, REDACTED)
        return value

    def content(self, value: bytes) -> bytes:
        """Redact bytes."""
        if self._raw_escaped is not None and (b"\\" in value or b"%" in value):
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
    return {key, key[::-1], escape(key), quote(key, safe=""), quote(key), *bases, *pieces}


def _escaped(key: str) -> str:
    """Return a pattern of the ways in which JSON and URLs may write any character of a key."""
    return "".join(rf"(?:\\?{re.escape(c)}|\\u(?i:{ord(c):04x})|%(?i:{ord(c):02x}))" for c in key)

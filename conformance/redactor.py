"""Taking a key out of whatever is kept or shown, in every form in which servers write it."""

from __future__ import annotations

import base64
import re
from html import escape
from urllib.parse import quote

from conformance.exchange import REDACTED, Headers
from conformance.settings import Secret


class Redactor:
    """Puts ``REDACTED`` where a key stands: as it is, and as URLs, JSON, HTML and base64 write it."""

    def __init__(self, key: Secret | None) -> None:
        forms = _forms(key.reveal()) if key is not None else []
        self._text = re.compile("|".join(forms)) if forms else None
        self._bytes = re.compile("|".join(forms).encode()) if forms else None

    def text(self, value: str) -> str:
        """Redact text."""
        return value if self._text is None else self._text.sub(REDACTED, value)

    def content(self, value: bytes) -> bytes:
        """Redact bytes."""
        return value if self._bytes is None else self._bytes.sub(REDACTED.encode(), value)

    def headers(self, headers: Headers) -> Headers:
        """Redact names and values of fields."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


def _forms(key: str) -> list[str]:
    """Return patterns, the longest first."""
    bases = {base(key.encode()).decode().rstrip("=") for base in (base64.b64encode, base64.urlsafe_b64encode)}
    encoded = {escape(key), *bases}
    patterns = [re.escape(form) for form in encoded]
    quoted = (re.escape(quote(key, safe="")), re.escape(quote(key)))
    patterns += [re.sub("%([0-9A-F]{2})", lambda match: f"%(?i:{match[1]})", form) for form in quoted]
    # in JSON every character may be written as an escape, and some have to be
    patterns.append("".join(rf"(?:\\?{re.escape(character)}|\\u(?i:{ord(character):04x}))" for character in key))
    return sorted(patterns, key=len, reverse=True)

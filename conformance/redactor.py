"""Taking a key out of whatever is kept or shown, in every form in which servers write it."""

from __future__ import annotations

import base64
import json
import re
from html import escape
from typing import Final
from urllib.parse import quote

from conformance.exchange import REDACTED, Headers
from conformance.settings import Secret

_ESCAPE: Final = re.compile("%[0-9A-F]{2}")


class Redactor:
    """Puts ``REDACTED`` where a key stands: as it is, and as URLs, JSON, HTML and base64 write it."""

    def __init__(self, key: Secret | None) -> None:
        shown = set()
        if key is not None:
            text = key.reveal()
            encoded = {quote(text), quote(text, safe=""), json.dumps(text)[1:-1], escape(text)}
            shown = {text, text.replace("/", "\\/"), *encoded}
            shown |= {_ESCAPE.sub(lambda match: match[0].lower(), form) for form in encoded}
            for base in (base64.b64encode, base64.urlsafe_b64encode):
                shown.add(base(text.encode()).decode().rstrip("="))
        self._forms = sorted(shown, key=len, reverse=True)

    def text(self, value: str) -> str:
        """Redact text."""
        for form in self._forms:
            value = value.replace(form, REDACTED)
        return value

    def content(self, value: bytes) -> bytes:
        """Redact bytes."""
        for form in self._forms:
            value = value.replace(form.encode(), REDACTED.encode())
        return value

    def headers(self, headers: Headers) -> Headers:
        """Redact names and values of fields."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)

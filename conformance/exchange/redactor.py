"""Redact keys in everything that is stored or shown, also if a server sends them escaped or encoded."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, product
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from conformance.exchange.headers import Headers
from conformance.exchange.secrets import REDACTED, REDACTED_WORD, SHORTEST_KEY, Secret, is_unmistakable

PIECE: Final = 12
"""A piece of a key with this many characters is redacted, too."""
SHORTEST_IN_BASE64: Final = 8
"""A piece of a key in base64 is redacted if it has at least this many characters."""
SHORTEST_PART: Final = 4
"""Length from which the beginning or the end of a key is redacted in text that was cut."""
_MARKS: Final = ("\\", "%", "&")
"""Characters that start an escape in JSON, URLs and HTML."""
_RAW_MARKS: Final = tuple(mark.encode() for mark in _MARKS)


class _Escaped:
    """Finds keys that are written with escapes.

    The patterns take milliseconds to compile, and most texts contain no escape, so the first that does compiles them.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)

    def _pattern(self) -> str:
        return "|".join(sorted(map(_escape_pattern, self._keys), key=len, reverse=True))

    @cached_property
    def _text(self) -> re.Pattern[str]:
        return re.compile(self._pattern())

    @cached_property
    def _raw(self) -> re.Pattern[bytes]:
        return re.compile(self._pattern().encode())

    def sub(self, replacement: str | Callable[[re.Match[str]], str], value: str) -> str:
        """Return the text with the keys replaced."""
        return self._text.sub(replacement, value) if self._keys and any(mark in value for mark in _MARKS) else value

    def sub_raw(self, replacement: bytes | Callable[[re.Match[bytes]], bytes], value: bytes) -> bytes:
        """Return the bytes with the keys replaced."""
        return self._raw.sub(replacement, value) if self._may_be_in(value) else value

    def is_in(self, value: bytes) -> bool:
        """Whether the bytes contain one of the keys."""
        return self._may_be_in(value) and self._raw.search(value) is not None

    def _may_be_in(self, value: bytes) -> bool:
        return bool(self._keys) and any(mark in value for mark in _RAW_MARKS)


class Redactor:
    """Finds keys in responses, and redacts them in everything that is shown.

    It finds a key in upper and lower case, reversed, in pieces, and as written in URLs, JSON, HTML, base64, hexadecimal
    digits and UTF-16, also in nested encodings. ``others`` are the wrong keys that were sent. They are redacted, too,
    but a response that contains a wrong key does not count as containing the key.
    """

    def __init__(self, *secrets: Secret | None, others: Iterable[Secret] = ()) -> None:
        keys = {key for secret in secrets if secret is not None for key in _parts(secret.reveal())}
        shown = keys | {other.reveal() for other in others}
        sure = {key for key in shown if is_unmistakable(key)}
        self._sure = sorted(sure, key=len, reverse=True)
        self._forms, self._words = (
            sorted(set(chain.from_iterable(_forms(key) | _pieces(key) for key in of)), key=len, reverse=True)
            for of in (sure, shown - sure)
        )
        self._raw_forms = [*(form.encode() for form in self._forms), *_wide(sure)]
        self._plain_words = frozenset(shown - sure)
        telling = sorted(chain.from_iterable(map(_telling, keys & sure)), key=len, reverse=True)
        self._telling = [*(form.encode() for form in telling), *_wide(keys & sure)]
        self._escaped, self._escaped_words = _Escaped(sure), _Escaped(shown - sure)
        self._telling_escaped = _Escaped(keys & sure)
        words = "|".join(sorted(map(re.escape, keys - sure), key=len, reverse=True))
        named = rf"x[-_ ]?api[-_ ]?key[^\w\r\n]{{1,8}}(?:{words})(?!\w)"
        self._named = re.compile(named.encode(), re.IGNORECASE) if words else None
        self._word_values = keys - sure

    def __repr__(self) -> str:
        return "Redactor(…)"

    def __bool__(self) -> bool:
        return bool(self._forms or self._words)

    def echoes(self, headers: Headers, content: bytes) -> tuple[str, ...]:
        """Return where a response contains the key: names of header fields, and "" for the body.

        A key that could be an ordinary word counts only next to the name of its header.
        """
        found = [self.text(name) for name, value in headers if self._repeats(name, value)]
        return tuple(dict.fromkeys([*found, *([""] if self._is_in(content) else [])]))

    def _repeats(self, name: str, value: str) -> bool:
        if name.lower() == "x-api-key" and value.strip() in self._word_values:
            return True
        return self._is_in(f"{name}: {value}".encode("latin-1", "replace"))

    def _is_in(self, content: bytes) -> bool:
        if any(form in content for form in self._telling):
            return True
        if self._named is not None and self._named.search(content):
            return True
        return self._telling_escaped.is_in(content)

    def text(self, value: str) -> str:
        """Return text with keys redacted."""
        value = self._escaped.sub(REDACTED, value)
        value = self._escaped_words.sub(lambda m: m[0] if m[0] in self._plain_words else REDACTED_WORD, value)
        for form in self._forms:
            if form in value:
                value = value.replace(form, REDACTED)
        return _without_words(value, self._words)

    def cut(self, value: str) -> str:
        """Return text with keys redacted, also if a key at its start or end is incomplete because the text was cut."""
        value = self.text(value)
        rest = _CUT.search(value)
        body, mark = (value, "") if rest is None else (value[: rest.start()], rest[0])
        for key in self._sure:
            sizes = range(min(len(key) - 1, len(body)), SHORTEST_PART - 1, -1)
            if body[-SHORTEST_PART:] in key:
                size = next((size for size in sizes if body.endswith(key[:size])), 0)
                body = body[: len(body) - size] + REDACTED if size else body
            if body[:SHORTEST_PART] in key:
                size = next((size for size in sizes if body.startswith(key[-size:])), 0)
                body = REDACTED + body[size:] if size else body
        return body + mark

    def content(self, value: bytes) -> bytes:
        """Return bytes with keys redacted."""
        value = self._escaped.sub_raw(REDACTED.encode(), value)
        value = self._escaped_words.sub_raw(self._raw_word, value)
        for form in self._raw_forms:
            if form in value:
                value = value.replace(form, REDACTED.encode())
        if any(word.encode() in value for word in self._words):
            return _without_words(value.decode("latin-1"), self._words).encode("latin-1")
        return value

    def _raw_word(self, found: re.Match[bytes]) -> bytes:
        """Return the replacement for a key that could be an ordinary word, if it is written with escapes.

        Without escapes it stays as it is, because ``_without_words`` redacts it later.
        """
        return found[0] if found[0].decode("latin-1") in self._plain_words else REDACTED_WORD.encode()

    def finds_words(self, content: bytes) -> bool:
        """Whether redaction changes a body because of a key that could be an ordinary word."""
        return bool(self._words) and self.content(content) != content

    def headers(self, headers: Headers) -> Headers:
        """Return header fields with keys redacted in names and values."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


_OWN_NAMES: Final = frozenset(
    {"queue", "queue_running", "queue_pending", "running", "pending", "create_time", "prompt_id", "class_type"}
    | {"inputs", "outputs", "workflow", "extra_data", "client_id", "code", "message", "status", "error", "details"}
)
"""Names that every queue or error contains. A key that is part of one is not redacted there: the gap would reveal it.
"""
_CUT: Final = re.compile(r"…(?: \([\d,]+ characters\))?$")
"""The end of text that ``text/safe.py`` has shortened."""
_NAME: Final = re.compile(r"\w*", re.ASCII)
_LONGEST_NAME: Final = 40


def _without_words(value: str, words: Iterable[str]) -> str:
    """Return text with keys redacted that could be ordinary words, except inside the names that every queue has."""
    for word in words:
        if word not in value:
            continue
        pieces, at = [], 0
        while (found := value.find(word, at)) >= 0:
            end = found + len(word)
            start = found - len(_NAME.match(value[max(0, found - _LONGEST_NAME) : found][::-1])[0])  # type: ignore[index]
            name = value[start:end] + _NAME.match(value, end, end + _LONGEST_NAME)[0]  # type: ignore[index]
            pieces += [value[at:found], word if name in _OWN_NAMES else REDACTED_WORD]
            at = end
        value = "".join([*pieces, value[at:]])
    return value


def _wide(keys: Iterable[str]) -> list[bytes]:
    return [key.encode(coding) for key in keys for coding in ("utf-16-le", "utf-16-be")]


def _pieces(key: str) -> set[str]:
    """Return all pieces of ``PIECE`` characters of a key."""
    return {key[start : start + PIECE] for start in range(len(key) - PIECE + 1)}


def _telling(key: str) -> set[str]:
    """Return the texts that prove that a response contains a key: the whole key, and pieces that are not words."""
    return _forms(key) | {piece for piece in _pieces(key) if _LETTER.search(piece) and _DIGIT.search(piece)}


_LETTER: Final = re.compile("[A-Za-z]")
_DIGIT: Final = re.compile("[0-9]")


def _parts(secret: str) -> set[str]:
    """Return a secret and its secret parts: a token without its scheme, the value of a cookie, a password in a URL."""
    parts = urlsplit(secret if "://" in secret else "")
    user, password = parts.username or "", parts.password
    tokens = [secret.rpartition(" ")[2], *(pair.partition("=")[2] for pair in secret.split("; "))]
    if password is not None:
        tokens += [
            password,
            unquote(password),
            f"{unquote(user)}:{unquote(password)}",
        ]  # as in Basic
    return {secret, *(token for token in tokens if len(token) >= SHORTEST_KEY)}


def _forms(key: str) -> set[str]:
    from html import escape

    bases = {base(key.encode()).decode().rstrip("=") for base in (base64.b64encode, base64.urlsafe_b64encode)}
    digits = key.encode().hex()
    cases = {key.lower(), key.upper(), key.swapcase(), digits, digits.upper()}
    return {key, key[::-1], escape(key), quote(key, safe=""), quote(key), *bases, *_in_base64(key), *cases}


def _in_base64(key: str) -> Iterator[str]:
    """Yield the texts as which a key appears in the base64 of a longer text: one for each key offset modulo 3."""
    for base, before in product((base64.b64encode, base64.urlsafe_b64encode), range(3)):
        inner = base(bytes(before) + key.encode()).decode()[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        if len(inner) >= SHORTEST_IN_BASE64:
            yield inner


def _escape_pattern(key: str) -> str:
    """Return a regular expression for a key whose characters may be escaped as in JSON, URLs and HTML, also nested.

    Repetitions are limited, because a server could send a million of them.
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


NOTHING: Final = Redactor()
"""Redacts nothing."""

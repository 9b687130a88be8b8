"""Read header fields: all lines of a field, members of a list, Accept, and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

Headers = tuple[tuple[str, str], ...]
"""Header fields as received, as pairs of name and value in order. They are decoded as latin-1."""


def lines(headers: Headers, name: str) -> list[str]:
    """Return the values of all header lines with this name, in any letter case. ``name`` is in lower case."""
    return [value for key, value in headers if key.lower() == name]


def first(headers: Headers, name: str) -> str | None:
    """Return the first value with this header name, in any letter case, or None. ``name`` is in lower case."""
    return next(iter(lines(headers, name)), None)


def values(headers: Headers, name: str) -> list[str]:
    """Return the members of a list-valued header (RFC 9110 §5.6.1) over all its lines, in lower case."""
    return members(lines(headers, name))


def members(found: Iterable[str]) -> list[str]:
    """Return the members in the lines of a list-valued header, in lower case."""
    return [member.strip().lower() for line in found for member in line.split(",") if member.strip()]


def accepts(field: str | None, media_type: str) -> bool:
    """Whether an Accept header allows a media type. Its most specific media range decides (RFC 9110 §12.5.1).

    A range with parameters does not match a type without them.
    """
    if field is None:
        return True
    allowed: dict[str, bool] = {}
    for member in field.lower().split(","):
        media_range, *parameters = (part.strip() for part in member.split(";"))
        if not parameters or parameters[0].startswith("q="):
            allowed[media_range] = bool(weight(member))
    kinds = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((allowed[kind] for kind in kinds if kind in allowed), False)


def weight(member: str) -> float:
    """Return the weight (``q=``) of one member of an Accept header, 1 if it has none (RFC 9110 §12.4.2)."""
    match = re.search(r";\s*q=([01](?:\.\d{0,3})?)", member)
    return float(match[1]) if match else 1.0


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (" + "|".join(_MONTHS) + r") (\d{4}) (\d\d):(\d\d):([0-5]\d|60) GMT",
    re.ASCII,
)


@lru_cache(maxsize=64)
def http_date(text: str) -> float | None:
    """Return an HTTP date (IMF-fixdate, RFC 9110 §5.6.7) in seconds since the Unix epoch. None for other text."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    try:
        moment = datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
        )
    except ValueError:
        return None
    return moment.timestamp()

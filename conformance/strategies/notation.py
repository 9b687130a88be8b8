"""Write the same JSON value in many ways that RFC 8259 allows: white space, escapes, order of members, numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Any, Final, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_SHORT: Final = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "/": "\\/"}

More = Literal["none", "slash", "non-ascii", "every other", "all"]
MemberOrder = Literal["as is", "reversed", "sorted"]
Form = Literal["shortest", "exponent", "EXPONENT", "zeros"]


@dataclass(frozen=True)
class _Escaping:
    """How strings are escaped: which characters besides the required ones (``more``), and in which notation."""

    more: More
    upper: bool
    short: bool

    def string(self, text: str) -> str:
        """Return text as a JSON string with these escapes."""
        return f'"{"".join(self._character(index, character) for index, character in enumerate(text))}"'

    def _character(self, index: int, character: str) -> str:
        if character >= " " and character not in '"\\' and not self._escapes(index, character):
            return character
        if self.short and character in _SHORT:
            return _SHORT[character]
        digits = character.encode("utf-16-be").hex()
        digits = digits.upper() if self.upper else digits
        return "".join(f"\\u{digits[start : start + 4]}" for start in range(0, len(digits), 4))

    def _escapes(self, index: int, character: str) -> bool:
        match self.more:
            case "none":
                return False
            case "slash":
                return character == "/"
            case "non-ascii":
                return character > "~"
            case "every other":
                return index % 2 == 0
            case "all":
                return True


class _Writer:
    """Writes a value as JSON text.

    Each time it needs white space, for example, it uses the next of the given ``gaps``.
    """

    def __init__(
        self, gaps: Sequence[str], escapings: Sequence[_Escaping], orders: Sequence[MemberOrder], forms: Sequence[Form]
    ) -> None:
        self._gaps, self._escapings = cycle(gaps), cycle(escapings)
        self._orders, self._forms = cycle(orders), cycle(forms)

    def text(self, value: Any) -> str:
        """Return a value as JSON text with white space around it."""
        return self._spaced(self._value(value))

    def _spaced(self, token: str) -> str:
        return f"{next(self._gaps)}{token}{next(self._gaps)}"

    def _value(self, value: Any) -> str:
        match value:
            case str():
                return next(self._escapings).string(value)
            case float():
                return _float(value, next(self._forms))
            case list():
                return f"[{','.join(map(self.text, value)) or next(self._gaps)}]"
            case dict():
                members = [f"{self.text(name)}:{self.text(value[name])}" for name in self._ordered(value)]
                return f"{{{','.join(members) or next(self._gaps)}}}"
        return json.dumps(value)

    def _ordered(self, names: dict[str, Any]) -> list[str]:
        match next(self._orders):
            case "as is":
                return list(names)
            case "reversed":
                return list(names)[::-1]
            case "sorted":
                return sorted(names)


def _float(number: float, form: Form) -> str:
    match form:
        case "shortest":
            return repr(number)
        case "exponent":
            return format(number, ".17e")
        case "EXPONENT":
            return format(number, ".17E")
        case "zeros":
            digits = f"{Decimal(repr(number)):f}"
            return digits + ("00" if "." in digits else ".0")


_GAPS: Final = st.sampled_from(("", "", " ", "\n", "\t", "\r\n", "\n    "))
_MORE: Final[SearchStrategy[More]] = st.sampled_from(("none", "slash", "non-ascii", "every other", "all"))
_ESCAPINGS: Final = st.builds(_Escaping, _MORE, upper=st.booleans(), short=st.booleans())
_ORDERS: Final[SearchStrategy[MemberOrder]] = st.sampled_from(("as is", "reversed", "sorted"))
_FORMS: Final[SearchStrategy[Form]] = st.sampled_from(("shortest", "exponent", "EXPONENT", "zeros"))


def encoded(values: SearchStrategy[Any]) -> SearchStrategy[bytes]:
    r"""Return a strategy for the values of another strategy as JSON text in UTF-8.

    ``json.loads`` returns the same values. White space, escapes (also unnecessary ones such as ``\/``), the order of
    members, and the notation of numbers with a fraction vary. Integers are written in plain digits.
    """
    few = (
        st.lists(_GAPS, min_size=1, max_size=4),
        st.lists(_ESCAPINGS, min_size=1, max_size=4),
        st.lists(_ORDERS, min_size=1, max_size=4),
        st.lists(_FORMS, min_size=1, max_size=4),
    )
    return st.builds(lambda writer, value: writer.text(value).encode(), st.builds(_Writer, *few), values)

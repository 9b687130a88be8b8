"""Strategies for JSON values that every parser accepts: no huge numbers, no lone surrogates, limited nesting."""

from __future__ import annotations

from itertools import cycle
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

LEVELS: Final = 128
"""Maximum levels of nesting that common parsers accept (serde_json stops there)."""
ABOVE: Final = 7
"""Maximum levels of nesting around a value: response, list, job, workflow, a graph in it, node, inputs."""

_CHARACTERS: Final = st.characters(exclude_categories=["Cs"])
_ODD_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "\n",
    '"',
    "\\",
    "/",
    "</script>",
    "\x7f",
    "\u2028",
    "\ufeff",
    "\uffff",
    "é",
    "e\u0301",
    "\u202e",
    "日本",
    "😀",
    "👩\u200d👩\u200d👧",
    "\U0010ffff",
    "null",
    "NaN",
    "${x}",
    "%s",
)
_ODD_NAMES: Final = (
    "",
    "__proto__",
    "constructor",
    "toString",
    "length",
    "0",
    "a/b",
    "~0",
    "$ref",
    "create_time",
    "queue_pending",
)
_CREDENTIALS: Final = ("token", "secret", "passw", "passphrase", "authorization", "credential", "jwt", "cookie", "key")


def names_no_credential(name: str) -> bool:
    """Whether the name of a member cannot mean a credential, which a queue should not show.

    Hypothesis also draws words that it finds in the code of the project, such as ``secret``.
    """
    return not any(word in name.lower() for word in _CREDENTIALS)


def looks_like_no_credential(text: str) -> bool:
    """Whether a text of repeated characters has no known form of a credential: ``sk-sk-sk-…`` has one."""
    return not text.startswith("sk-")


_ODD_NUMBERS: Final = (2**53 + 1, 2**64 - 1, 10**21, 10**308, -(10**308), 0.1, -0.0, 1.0, 1e16, 1e308, 5e-324)

_SHORT: Final = st.text(_CHARACTERS, max_size=8)
_ODD: Final = st.sampled_from(_ODD_TEXTS)
_REPEATED: Final = st.builds(str.__mul__, st.text(_CHARACTERS, min_size=1, max_size=3), st.integers(1, 700))
_LONG: Final = _REPEATED.filter(looks_like_no_credential)
TEXTS: Final = st.one_of(_SHORT, _SHORT, _SHORT, _ODD, _ODD, _LONG)
NAMES: Final = st.text(_CHARACTERS, max_size=6).filter(names_no_credential) | st.sampled_from(_ODD_NAMES)
NUMBERS: Final = (
    st.integers(-5, 5)
    | st.integers()
    | st.sampled_from(_ODD_NUMBERS)
    | st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS: Final = st.none() | st.booleans() | NUMBERS | TEXTS


def _around(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return SCALARS | st.lists(values, max_size=3) | st.dictionaries(NAMES, values, max_size=3)


def _nested(levels: int, arrays: list[bool], core: Any) -> Any:
    for _, array in zip(range(levels), cycle(arrays), strict=False):
        core = [core] if array else {"": core}
    return core


_SHALLOW: Final = _around(_around(SCALARS))
_DEPTHS: Final = st.integers(1, LEVELS - ABOVE) | st.just(LEVELS - ABOVE)
_DEEP: Final = st.builds(_nested, _DEPTHS, st.lists(st.booleans(), min_size=1, max_size=3), SCALARS)
VALUES: Final = st.one_of(_SHALLOW, _SHALLOW, _SHALLOW, _DEEP)


def objects(values: SearchStrategy[Any] = SCALARS, *, min_size: int = 0) -> SearchStrategy[dict[str, Any]]:
    """Return a strategy for JSON objects with ``min_size`` to 3 members. Their values are drawn from ``values``."""
    return st.dictionaries(NAMES, values, min_size=min_size, max_size=3)


def shuffled(members: dict[str, T]) -> SearchStrategy[dict[str, T]]:
    """Return a strategy for JSON objects with exactly these members, in any order."""
    return st.permutations(list(members.items())).map(dict)

"""Faults of the JSON text as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from conformance.reference.faults.registry import add
from conformance.reference.message import Twist

_CHANGES: Final[dict[str, tuple[tuple[str, str, Callable[[bytes], bytes]], ...]]] = {
    "json.well-formed": (
        ("trailing-comma", "There is a comma after the last member.", lambda body: body[:-1] + b",}"),
        (
            "single-quotes",
            "Strings are in single quotes, as Python's repr writes them.",
            lambda body: str(json.loads(body)).encode(),
        ),
        ("cut-short", "The last brace is missing, although Content-Length matches.", lambda body: body[:-1]),
        ("empty-body", "The body is empty.", lambda _: b""),
        ("comment", "The text begins with a comment.", lambda body: b"/* the queue */" + body),
        (
            "guarded",
            "The body begins with a prefix before the JSON, which keeps browsers from running it as a script.",
            lambda body: b")]}',\n" + body,
        ),
        (
            "no-break-space",
            "The text has white space that JSON does not allow.",
            lambda body: body.replace(b":", b":\xc2\xa0", 1),
        ),
    ),
    "json.utf-8": (
        ("utf-16", "The text is in UTF-16, with a byte order mark.", lambda body: body.decode().encode("utf-16")),
    ),
    "json.no-bom": (("bom", "The text begins with a byte order mark.", lambda body: b"\xef\xbb\xbf" + body),),
    "json.single-text": (
        ("served-by", "An HTML comment follows the JSON.", lambda body: body + b"\n<!-- served by node-7 -->"),
        ("two-texts", "A second JSON text follows on the next line.", lambda body: body + b"\n{}\n"),
        ("nul-at-the-end", "A NUL follows the JSON, as at the end of a C string.", lambda body: body + b"\x00"),
    ),
}
"""By clause, the name and description of a fault, and how it changes the bytes of the text."""

for _clause, _rows in _CHANGES.items():
    for _name, _summary, _change in _rows:
        add(_name, _summary, _clause, Twist(writes=_change))

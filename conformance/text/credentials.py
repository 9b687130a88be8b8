"""Recognise credentials in JSON by the name of their member or by their value, without mistaking ordinary text."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

OWN: Final = ("api_key_comfy_org", "auth_token_comfy_org")
"""Members of extra_data in which clients send keys. ComfyUI before 0.3.68 returned them to everybody."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LAST: Final = frozenset(
    {
        "token",
        "tokens",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "authorization",
        "apikey",
        "credential",
        "credentials",
        "jwt",
        "cookie",
        "cookies",
    }
)
"""A member whose name ends with one of these words may contain a credential."""
_PAIRS: Final = frozenset(
    {
        ("api", "key"),
        ("access", "key"),
        ("secret", "key"),
        ("private", "key"),
        ("auth", "key"),
        ("auth", "token"),
        ("access", "token"),
        ("refresh", "token"),
        ("session", "token"),
        ("bearer", "token"),
    }
)
"""A member whose name contains one of these pairs of words may contain a credential."""
_HARMLESS: Final = re.compile(
    r"[\W_xX]*|\W?(?:redacted|hidden|masked|removed|none|null|true|false|undefined|disabled|default|empty)\W?"
    r"|your[-_ ].*|[$<{%].*",
    re.IGNORECASE | re.DOTALL,
)
"""Matches values that are not credentials: masks, words such as ``none``, and placeholders."""
_VALUE: Final = (
    r"(?:Bearer|Basic|Token) (?=[^ ]*(?:\d|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{12,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|comfyui-[0-9a-f]{32,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}"
    r"|hf_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{20,}|AIza[A-Za-z0-9_-]{35}"
)
_IS_VALUE: Final = re.compile(_VALUE)
_SIGNS: Final = (
    "_comfy_org",
    "key",
    "token",
    "secret",
    "passw",
    "passphrase",
    "authorization",
    "credential",
    "jwt",
    "cookie",
    "bearer ",
    "basic ",
    "eyj",
    "comfyui-",
    "sk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "hf_",
    "akia",
    "xox",
    "aiza",
)
"""If none of these words is in a text in lower case, the text has no known credential. This quick check comes first."""
_RAW_SIGNS: Final = tuple(sign.encode() for sign in _SIGNS)
_MEMBER: Final = re.compile(
    r'"(?P<name>[^"\\]{0,60}(?:key|token|secret|passw|passphrase|authorization|credential|jwt|cookie)[^"\\]{0,30})"'
    r'(?P<between>\s*+:\s*+")(?P<value>(?:[^"\\]++|\\.)*+)',
    re.IGNORECASE | re.DOTALL,
)
_STRING: Final = re.compile(rf'(?<=")(?:{_VALUE})(?=")')
SHORTEST: Final = 4
"""Minimum length of a value that counts as a credential because of its member's name."""
LONGEST_WORD: Final = 20
"""Minimum length of a ``token`` without digits that counts as a credential. Shorter ones may be words of a language
model.
"""


def is_named_so(name: str) -> bool:
    """Whether the name of a JSON member means a credential, such as ``api_key``."""
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (words[-1] in _LAST or any(pair in _PAIRS for pair in pairwise(words)))


def is_shown_by(name: str, value: object) -> bool:
    """Whether a JSON member contains a credential: its name means one, and its value is not a mask or placeholder."""
    if not isinstance(value, str) or len(value) < SHORTEST or _HARMLESS.fullmatch(value) or not is_named_so(name):
        return False
    if name.lower().endswith(("token", "tokens", "cookie", "cookies")):
        return " " not in value and (any(map(str.isdigit, value)) or len(value) >= LONGEST_WORD)
    return " " not in value or name.lower().endswith("authorization")


def is_one(value: object) -> bool:
    """Whether a value has the format of a known kind of credential, such as ``ghp_…``."""
    return isinstance(value, str) and _IS_VALUE.fullmatch(value) is not None


def may_hold_some(text: bytes) -> bool:
    """Whether JSON text may contain a credential. The text must not have unnecessary escapes."""
    lowered = text.lower()
    return any(sign in lowered for sign in _RAW_SIGNS)


def without(text: str, mark: str) -> str:
    """Return JSON text in which each character of a credential is replaced by ``mark``, so that no offset changes."""
    if '"' not in text:  # no string of JSON
        return text
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return text

    def blot(match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        shown = mark * len(value) if is_shown_by(name, value) else value
        return f'"{name}"{match["between"]}{shown}'

    return _STRING.sub(lambda match: mark * len(match[0]), _MEMBER.sub(blot, text))

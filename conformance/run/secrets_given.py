"""Read the key, the extra headers, the certificates and the proxy from the variables and files named in options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.hosts import is_loopback
from conformance.exchange.secrets import SHORTEST_KEY, Secret
from conformance.probe.limits import METHOD_OVERRIDES
from conformance.problems import UsageProblem
from conformance.run.settings import DEFAULT_KEY_ENV

LONGEST_KEY: Final = 64 << 10
"""Maximum size in bytes of a file that contains a key."""
_OURS: Final = METHOD_OVERRIDES | {
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "user-agent",
    "x-api-key",
    "x-request-id",
    "origin",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "expect",
    "te",
    "upgrade",
}
"""Header fields that the user must not set: the suite sets them, or they change the meaning of a request."""
_FIELD_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""The name of a header field (RFC 9110 §5.6.2)."""


def key_from(
    environ: Mapping[str, str], named: str | None, file: str | Path | None, *, no_key: bool
) -> tuple[Secret | None, str | None]:
    """Return the key and the name of the variable or file that it comes from. Without a key, both are None.

    Raises UsageProblem.
    """
    given = [flag for flag, value in (("--api-key-env", named), ("--api-key-file", file)) if value is not None]
    if len(given) + no_key > 1:
        msg = f"{' and '.join([*(['--no-key'] if no_key else []), *given])} contradict each other: give one of them"
        raise UsageProblem(msg)
    if no_key:
        return None, None
    if file is not None:
        return _secret(_content(file), f"the key in {file}", SHORTEST_KEY), str(file)
    name = DEFAULT_KEY_ENV if named is None else named
    value = environ.get(name, "")
    if not value:
        if named is not None:
            raise UsageProblem(f"--api-key-env names {_variable(name)}, which is not set: export it, or use --no-key")
        return None, None
    return _secret(value, f"the key in {name}", SHORTEST_KEY), name


def _content(file: str | Path) -> str:
    """Return the content of a key file without the line break at the end."""
    try:
        return Path(file).read_bytes()[:LONGEST_KEY].decode("latin-1").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        msg = f"--api-key-file {file} cannot be read ({error.strerror}): give a file that contains only the key"
        raise UsageProblem(msg) from None


def _secret(value: str, where: str, shortest: int, *, spaces: str = "") -> Secret:
    inner = value.replace(spaces, "") if spaces and value == value.strip() else value
    if not value.isascii() or not value.isprintable() or " " in inner:
        msg = f"{where} contains spaces, line breaks or characters that are not allowed in a header: set it again"
        raise UsageProblem(msg)
    if len(value) < shortest:
        raise UsageProblem(f"{where} is shorter than {shortest} characters: check that it is the whole key")
    return Secret(value)


def header_from(given: str, environ: Mapping[str, str]) -> tuple[str, Secret, str]:
    """Return name, value and source of a header for a gateway, from a text ``NAME=VARIABLE``. Raises UsageProblem."""
    as_sent = re.match(rf"({_FIELD_NAME}):", given)
    if as_sent is not None:
        name = as_sent[1]
        msg = (
            "--header must be NAME=VARIABLE, not 'NAME: VALUE': "
            f"put the value into an environment variable and give {name}=VARIABLE"
        )
        raise UsageProblem(msg)
    name, separator, variable = given.partition("=")
    if not separator or not re.fullmatch(_FIELD_NAME, name) or not variable:
        shown = name if separator else "that"
        msg = f"--header must be NAME=VARIABLE, such as Authorization=MY_TOKEN, not {shown!r}: VARIABLE holds the value"
        raise UsageProblem(msg)
    if name.lower() in _OURS:
        raise UsageProblem(f"--header {name} is not possible: the suite sets this header itself")
    value = environ.get(variable, "")
    if not value:
        raise UsageProblem(f"--header {name} names {_variable(variable)}, which is not set: export it")
    return (name, _secret(value, f"the value of {name} in {variable}", 1, spaces=" "), f"{name}={variable}")


def proxy_from(named: str | None, environ: Mapping[str, str]) -> Secret | None:
    """Return the URL of the proxy, which may contain a password; None if no variable is named. Raises UsageProblem."""
    if named is None:
        return None
    value = environ.get(named, "")
    try:
        parts = urlsplit(value)
        proxy = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        proxy = False
    if not proxy or not value.isascii() or not value.isprintable() or " " in value:
        shown = _variable(named)
        raise UsageProblem(
            f"--proxy-env names {shown}, which is not an http or https URL: set it to one such as http://127.0.0.1:3128"
        )
    return Secret(value)


def _variable(name: str) -> str:
    """Return the name of a variable for messages.

    Text that cannot be a variable name is hidden: it may be the secret itself.
    """
    return name if re.fullmatch("[A-Z_][A-Z0-9_]*", name) else "a variable" if name else "nothing"


def readable(file: str | Path | None, flag: str) -> Path | None:
    """Return the path of a PEM file. Raises UsageProblem if it cannot be read or is not a PEM file."""
    if file is None:
        return None
    try:
        pem = b"-----BEGIN " in Path(file).read_bytes()
    except OSError as error:
        raise UsageProblem(f"{flag} {file} cannot be read ({error.strerror}): give a PEM file") from None
    if not pem:
        raise UsageProblem(f"{flag} {file} contains no certificate: give a PEM file (-----BEGIN CERTIFICATE-----)")
    return Path(file)


def keep_off_plain_http(url: str, source: str) -> None:
    """Raise UsageProblem if a secret would go over plain http to a host that is not loopback."""
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        msg = f"the key in {source} would be sent over plain http: use https, --no-key or --allow-plain-http-key"
        raise UsageProblem(msg)

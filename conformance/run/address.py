"""Check the address of the server that is to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from conformance.exchange.hosts import is_loopback
from conformance.problems import UsageProblem
from conformance.run.settings import EMBEDDED


def target_from(given: str | None, environ: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the target (None for the embedded endpoint), and whether a scheme was added to it."""
    value = given if given is not None else environ.get("CONFORMANCE_TARGET")
    if value is None:
        if environ.get("CI"):
            raise UsageProblem("no target: give a URL, or --target embedded, which must be explicit because CI is set")
        return None, False
    if not value.strip():
        where = "--target" if given is not None else "CONFORMANCE_TARGET"
        raise UsageProblem(f"{where} is set but empty: give a URL such as http://127.0.0.1:8188, or embedded")
    if value == EMBEDDED:
        return None, False
    whole = _with_scheme(value.strip())
    return base_url(whole), whole != value.strip()


def _with_scheme(value: str) -> str:
    """Add ``http://`` to a loopback address without a scheme. Any other text is returned unchanged."""
    url = f"http://{value}"
    try:
        return url if "://" not in value and is_loopback(url) else value
    except ValueError:
        return value


def base_url(value: str) -> str:
    """Return a base URL without its trailing slash. Raises UsageProblem if it is not a base URL."""
    shown = value if value.isprintable() and not set("@?#") & set(value) else "the target"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise UsageProblem(f"{shown} is not a valid URL ({error}): give one such as http://127.0.0.1:8188") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        guess = value if shown == value and "://" not in value and not value.startswith("/") else "127.0.0.1:8188"
        raise UsageProblem(f"{shown} is not an http or https URL: give one such as http://{guess}")
    if parts.username is not None or parts.password is not None:
        msg = "the target contains a user name or password, which would be shown in reports: remove it from the URL"
        raise UsageProblem(msg)
    if parts.query or parts.fragment or not value.isprintable() or " " in value:
        raise UsageProblem(f"{shown} is more than a base URL: give only scheme, host, port and path")
    return value.rstrip("/")

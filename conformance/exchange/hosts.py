"""Decide whether a URL leads to this machine."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

RECORDED: Final = "recorded"
"""The host that is put into the URL of a recorded request if its real host is unknown."""


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is ``localhost`` or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_remote(url: str) -> bool:
    """Whether a URL leads to another machine. Text that is not a URL, such as a file name, does not."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.hostname != RECORDED and not is_loopback(url)
    except ValueError:
        return True

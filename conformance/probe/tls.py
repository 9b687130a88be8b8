"""Load the certificates that a run trusts, and describe in words why a connection failed."""

from __future__ import annotations

import os
import socket
import ssl
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from conformance.exchange.model import UNRESOLVED
from conformance.probe.limits import Gateway
from conformance.problems import UsageProblem

_UNKNOWN_ISSUER: Final = range(18, 22)
"""X509_V_ERR_* of OpenSSL: a self-signed certificate, or one from an authority that is not trusted."""
_PLAIN: Final = "this port speaks plain http: give the target with http://"
_ALERTS: Final = {
    "WRONG_VERSION_NUMBER": _PLAIN,
    "RECORD_LAYER_FAILURE": _PLAIN,
    "PACKET_LENGTH_TOO_LONG": _PLAIN,
    "HTTP_REQUEST": _PLAIN,
    "NO_APPLICATION_PROTOCOL": "it does not support HTTP/1.1, which the suite needs",
    "CERTIFICATE_REQUIRED": "it requires a client certificate: --client-cert",
    "HANDSHAKE_FAILURE": "no common cipher, or a client certificate is missing: --client-cert",
    "UNKNOWN_CA": "it does not trust the issuer of the certificate in --client-cert",
    "PROTOCOL_VERSION": "it supports neither TLS 1.2 nor 1.3",
}
"""What a TLS failure means, by a part of OpenSSL's name for the error."""


def trust(gateway: Gateway) -> ssl.SSLContext:
    """Return a TLS context that trusts the system's certificates, those of certifi, and those the user gave.

    Raises UsageProblem if a given file contains no certificate.
    """
    files = tuple(map(_stamp, (gateway.ca_bundle, gateway.client_cert)))
    return _trust(gateway.ca_bundle, gateway.client_cert, files, insecure=gateway.insecure)


def _stamp(path: Path | None) -> tuple[Path, int, int] | None:
    """Return the path, size and time of change of a file, to notice changes; None if the file cannot be read."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return path.resolve(), found.st_mtime_ns, found.st_size


@cache
def no_tls() -> ssl.SSLContext:
    """Return a shared TLS context for plain-http clients.

    Each client would otherwise create its own context, which is slow.
    """
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@lru_cache(maxsize=8)
def _trust(
    ca_bundle: Path | None, client_cert: Path | None, _files: tuple[object, ...], *, insecure: bool
) -> ssl.SSLContext:
    """Return a TLS context. It is cached for runs with the same files, because loading certificates is slow."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    try:
        if ca_bundle is not None:
            context.load_verify_locations(ca_bundle)
    except ssl.SSLError:
        msg = f"--ca-bundle {ca_bundle} contains no readable certificate: give a PEM file"
        raise UsageProblem(msg) from None
    try:
        if client_cert is not None:
            context.load_cert_chain(client_cert)
    except (ssl.SSLError, OSError):
        msg = f"--client-cert {client_cert} contains no readable certificate with its key: give a PEM file with both"
        raise UsageProblem(msg) from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def reason(error: BaseException) -> str:
    """Return in words why a connection failed: the innermost cause that the operating system or TLS gives."""
    causes: list[BaseException] = []
    step: Any = error
    while step is not None and step not in causes:
        causes.append(step)
        step = step.__cause__ or step.__context__
        if isinstance(step, BaseExceptionGroup):
            step = step.exceptions[0]
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLError):
            return _tls(cause)
        if isinstance(cause, socket.gaierror):
            return f"{UNRESOLVED} ({cause.strerror})"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
    return next((str(cause) for cause in causes if str(cause)), type(error).__name__)


def _tls(error: ssl.SSLError) -> str:
    """Return in words why TLS failed and, if possible, what the user can do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = (
            "trust its issuer with --ca-bundle"
            if error.verify_code in _UNKNOWN_ISSUER
            else "replace the certificate, or skip the check with --insecure"
        )
        return f"TLS: {error.verify_message.rstrip('.')} ({remedy})"
    why = error.reason or str(error)  # an alert that Python does not know has no reason
    name = why.upper().replace(" ", "_")
    meaning = next((text for alert, text in _ALERTS.items() if alert in name), "the handshake failed")
    return f"TLS: {meaning} ({why})"

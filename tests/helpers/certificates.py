"""TLS servers: one with a given certificate, and one that refuses every handshake."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

HERE = "127.0.0.1"


def shown_by(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return the TLS context of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[str]:
    """Run a server that fails every TLS handshake with the proper alert, which asyncio would drop. Yields its URL."""

    def serve() -> None:
        with suppress(OSError):  # closing the server ends accept
            while True:
                connection, _ = server.accept()
                with suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

    with socket.create_server((HERE, 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://{HERE}:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()

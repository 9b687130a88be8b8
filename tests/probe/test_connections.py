"""The URL and the Host of a request, as they are sent."""

from __future__ import annotations

import pytest

from conformance.probe.connections import destination


@pytest.mark.parametrize(
    ("url", "sent", "host"),
    [
        ("http://127.0.0.1:8188/api/queue", "http://127.0.0.1:8188/api/queue", "127.0.0.1:8188"),
        ("http://HOST.example:80/x?a=%27&b=a+b", "http://host.example/x?a=%27&b=a+b", "host.example"),
        ("https://h:443", "https://h/", "h"),
        ("https://h:80/", "https://h:80/", "h:80"),
        ("http://[::1]:8188/x", "http://[::1]:8188/x", "[::1]:8188"),
        ("http://bücher.example/é?ü=1", "http://xn--bcher-kva.example/%C3%A9?%C3%BC=1", "xn--bcher-kva.example"),
        ("http://straße.example/", "http://xn--strae-oqa.example/", "xn--strae-oqa.example"),
        ("http://h/{id}/%7Ba%7D", "http://h/%7Bid%7D/%7Ba%7D", "h"),
    ],
)
def test_a_url_is_sent_in_ascii_and_its_host_without_the_default_port(url: str, sent: str, host: str) -> None:
    assert destination(url) == (sent, host)


def test_a_host_that_has_no_ascii_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="not allowed"):
        destination("http://☃️.example/")

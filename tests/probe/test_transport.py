from __future__ import annotations

import pytest

from conformance.probe.transport import address, host_of


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://127.0.0.1:8188/api/queue", b"127.0.0.1:8188", b"/api/queue"),
        ("http://Cloud.Comfy.org:80/api/queue", b"cloud.comfy.org", b"/api/queue"),
        ("https://cloud.comfy.org:443/api/queue", b"cloud.comfy.org", b"/api/queue"),
        ("http://cloud.comfy.org:443/api/queue", b"cloud.comfy.org:443", b"/api/queue"),
        ("http://[::1]:8188/api/queue", b"[::1]:8188", b"/api/queue"),
        ("http://[::1]/api/queue", b"[::1]", b"/api/queue"),
        ("http://localhost", b"localhost", b"/"),
        ("http://localhost/a;b=c?d=%20&e", b"localhost", b"/a;b=c?d=%20&e"),
        ("http://bücher.example/größe?a=b", b"xn--bcher-kva.example", b"/gr%C3%B6%C3%9Fe?a=b"),
    ],
)
def test_a_url_is_sent_as_it_is_but_in_ascii(url: str, host: bytes, target: bytes) -> None:
    place = address(url)
    assert (host_of(place), place.target) == (host, target)


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://[::1/", "IPv6"), ("http://localhost:99999/", "range"), ("http://\N{SNOWMAN}.example/", "hostname")],
)
def test_an_invalid_url_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(url)

"""The published page is fetched within bounds."""

from __future__ import annotations

import gzip

import pytest

from conformance.drift.fetch import NotFetched, fetch
from helpers.commands import NOWHERE
from helpers.published_documents import Serving, http


def test_a_page_comes_whole_and_nothing_of_ours_is_sent_but_a_name(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_API_KEY", "a-key-of-somebody")
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    url, heard = serving(http(b"page"))
    assert fetch(url) == b"page"
    (head,) = heard
    names = {field.partition(b":")[0].lower() for field in head.split(b"\r\n")[1:] if field}
    assert names == {b"host", b"accept", b"accept-encoding", b"connection", b"user-agent"}
    assert b"comfy-queue-conformance/" in head


def test_a_page_that_comes_compressed_is_read(serving: Serving) -> None:
    url, _ = serving(http(gzip.compress(b"page"), "200 OK", "Content-Encoding: gzip"))
    assert fetch(url) == b"page"


@pytest.mark.parametrize("fields", [(), ("Content-Encoding: gzip",)])
def test_a_page_that_is_too_large_is_not_read_to_its_end(serving: Serving, fields: tuple[str, ...]) -> None:
    content = b"x" * 3000
    url, _ = serving(http(gzip.compress(content) if fields else content, "200 OK", *fields))
    with pytest.raises(NotFetched, match="larger than 2,000 bytes"):
        fetch(url, max_bytes=2000)
    assert fetch(url, max_bytes=3000) == content


def test_a_page_that_does_not_come_in_time_is_not_waited_for(serving: Serving) -> None:
    url, _ = serving(http(b"", "200 OK").replace(b"Content-Length: 0", b"Content-Length: 9"))
    with pytest.raises(NotFetched, match=r"no complete response within 0\.2 s"):
        fetch(url, seconds=0.2)


def test_a_redirect_within_the_origin_is_followed(serving: Serving) -> None:
    url, heard = serving(
        lambda head: http(b"page") if b"/there" in head else http(b"", "308 Permanent Redirect", "Location: /there")
    )
    assert fetch(url) == b"page"
    assert len(heard) == 2


def test_another_origin_is_not_asked(serving: Serving) -> None:
    other, heard = serving(http(b"page"))
    url, _ = serving(http(b"", "302 Found", f"Location: {other}"))
    with pytest.raises(NotFetched, match="redirects to another origin"):
        fetch(url)
    assert heard == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"", "302 Found", "Location: /again"), "more than 5 redirects"),
        (http(b"", "404 Not Found"), "has status 404"),
        (http(b"no gzip", "200 OK", "Content-Encoding: gzip"), "gzip"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "illegal status line"),
        (http(b"", "302 Found", "Location: http://[::1"), "Invalid"),
    ],
)
def test_what_is_no_page_is_said_in_a_few_words(serving: Serving, answer: bytes, why: str) -> None:
    url, _ = serving(answer)
    with pytest.raises(NotFetched, match=why):
        fetch(url)

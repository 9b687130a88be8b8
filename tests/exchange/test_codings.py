"""Content codings are undone within bounds, however the bytes arrive, and what cannot be undone is said."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.exchange.codings import CODINGS, DECODABLE, BrokenCoding, ContentTooLarge, Decoder, decode

with suppress(ImportError):
    import brotli

MB = 1 << 20
BODY = b'{"queue_running": [], "queue_pending": []}'


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def feed(decoder: Decoder, raw: bytes, step: int) -> None:
    for place in range(0, len(raw), step):
        decoder.feed(raw[place : place + step])


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": zipped,
    "x-gzip": zipped,
    "deflate": zlib.compress,
    "identity": bytes,
}


@pytest.mark.parametrize(
    ("raw", "codings"),
    [
        (BODY, []),
        (BODY, ["identity"]),
        (zipped(BODY), ["gzip"]),
        (zipped(BODY), ["x-gzip"]),
        (zlib.compress(BODY), ["deflate"]),
        (raw_deflate(BODY), ["deflate"]),
        (zlib.compress(zipped(BODY)), ["gzip", "deflate"]),
        (zipped(zlib.compress(BODY)), ["deflate", "identity", "gzip"]),
        (zipped(BODY[:9]) + zipped(b"") + zipped(BODY[9:]), ["gzip"]),
    ],
    ids=count(),
)
def test_codings_are_undone_in_the_reverse_order_of_the_header(raw: bytes, codings: list[str]) -> None:
    assert decode(raw, codings, 100) == (BODY, None)


@pytest.mark.parametrize(
    "raw",
    [zipped(b"") * 20_000 + zipped(BODY), zipped(b"")[:10] + b"\0\0\0\xff\xff" * 20_000],
    ids=["members", "blocks"],
)
def test_many_empty_members_and_blocks_are_read_within_the_bound(raw: bytes) -> None:
    content, error = decode(raw, ["gzip"], MB)
    assert (content, error) in [(BODY, None), (b"", "gzip: the stream ends too early")]
    with pytest.raises(ContentTooLarge):
        decode(raw, ["gzip"], len(raw) - 1)


@given(st.binary(max_size=300), st.lists(st.sampled_from([*ENCODERS]), max_size=CODINGS), st.booleans(), st.data())
def test_bytes_one_by_one_come_to_the_same_as_all_at_once(
    body: bytes,
    codings: list[str],
    broken: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    raw = body
    for coding in codings:
        raw = ENCODERS[coding](raw)
    if broken and raw:
        place = data.draw(st.integers(0, len(raw) - 1))
        raw = raw[:place] + data.draw(st.binary(max_size=3)) + raw[place + 1 :]
    content, error = decode(raw, codings, MB)
    decoder = Decoder(codings, MB)
    try:
        feed(decoder, raw, 1)
        decoder.finish()
    except BrokenCoding:
        content_too, error_too = content, True
    else:
        content_too, error_too = bytes(decoder.content), False
    assert (content_too, error_too) == (content, error is not None)
    if raw == body or not broken:
        assert (content, error) == (body, None)


@pytest.mark.parametrize(
    ("raw", "coding", "why"),
    [
        (zipped(BODY)[:-1], "gzip", "the stream ends too early"),
        (zipped(BODY)[:5], "gzip", "the stream ends too early"),
        (zlib.compress(BODY)[:-4], "deflate", "the stream ends too early"),
        (BODY, "gzip", "incorrect header check"),
        (BODY, "deflate", "deflate: "),
        (zipped(BODY)[:-8] + bytes(8), "gzip", "incorrect data check"),
        (zipped(BODY) + b"garbage", "gzip", "incorrect header check"),
        (zipped(BODY) + b"\0", "gzip", "the stream ends too early"),
        (zlib.compress(BODY) + b"garbage", "deflate", "there are bytes after the end"),
        (zlib.compress(BODY), "gzip", "incorrect header check"),
        (b"", "zstd", "zstd: the request did not ask for this coding"),
        (BODY, "x" * 999, "x" * 40 + ": the request did not ask for this coding"),
    ],
    ids=count(),
)
def test_what_is_not_as_content_encoding_says_is_told(raw: bytes, coding: str, why: str) -> None:
    _, error = decode(raw, [coding], MB)
    assert error is not None
    assert why in error


def test_what_came_out_before_the_fault_is_kept() -> None:
    content, error = decode(zipped(BODY) + b"garbage", ["gzip"], MB)
    assert content == BODY
    assert error


@pytest.mark.parametrize("coding", ["gzip", "deflate", "x-gzip"])
def test_an_empty_body_is_no_broken_coding(coding: str) -> None:
    assert decode(b"", [coding], MB) == (b"", None)


def test_more_codings_than_anybody_uses_are_refused_unread() -> None:
    raw = BODY
    for _ in range(CODINGS + 1):
        raw = zipped(raw)
    assert decode(raw, ["gzip"] * (CODINGS + 1), MB) == (raw, "9 nested codings")
    assert decode(BODY, ["gzip"] * 100_000, MB)[1] is not None


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Return a few kB of gzip in gzip that become 300 MB."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    zeros = b"\0" * MB
    return zipped(b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush())


@pytest.mark.parametrize("step", [1000, MB])
def test_a_bomb_is_stopped_within_its_bound(step: int, bomb: bytes) -> None:
    decoder = Decoder(["gzip", "gzip"], 2 * MB)
    tracemalloc.start()
    try:
        with pytest.raises(ContentTooLarge):
            feed(decoder, bomb, step)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(decoder.content) <= 2 * MB
    assert peak < 6 * MB


def test_a_bomb_that_hides_between_two_codings_is_stopped_too() -> None:
    nothing = zipped(b"") * 200_000  # 4 MB that unpack to nothing at all
    with pytest.raises(ContentTooLarge):
        decode(zipped(nothing), ["gzip", "gzip"], MB)


@pytest.mark.parametrize("codings", [[], ["gzip"], ["deflate", "gzip"]])
def test_the_limit_itself_is_allowed_and_one_more_is_not(codings: list[str]) -> None:
    raw = b"a" * 1000
    for coding in codings:
        raw = ENCODERS[coding](raw)
    assert decode(raw, codings, 1000) == (b"a" * 1000, None)
    with pytest.raises(ContentTooLarge):
        decode(raw, codings, 999)


# --- Brotli -----------------------------------------------------------------------------------------------------------

needs_brotli = pytest.mark.skipif("br" not in DECODABLE, reason="needs the extra brotli")


@needs_brotli
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_brotli_is_undone_however_it_arrives(step: int) -> None:
    packed = brotli.compress(BODY * 100)
    decoder = Decoder(["br"], MB)
    feed(decoder, packed, step)
    decoder.finish()
    assert bytes(decoder.content) == BODY * 100
    assert decode(brotli.compress(zipped(BODY)), ["gzip", "br"], MB) == (BODY, None)


@needs_brotli
@pytest.mark.parametrize("raw", [BODY, zipped(BODY), b""], ids=["plain", "gzip", "empty"])
def test_what_is_no_brotli_is_said(raw: bytes) -> None:
    problem = decode(raw, ["br"], MB)[1]
    assert problem is not None
    assert problem.startswith("br: ")


@needs_brotli
def test_brotli_that_ends_early_or_goes_on_is_said() -> None:
    packed = brotli.compress(BODY * 100)
    assert decode(packed[:-3], ["br"], MB)[1] == "br: the stream ends too early"
    assert decode(packed + b"x", ["br"], MB)[1] is not None


@needs_brotli
def test_a_bomb_of_brotli_is_not_unpacked() -> None:
    bomb = brotli.compress(bytes(64 * MB), quality=5)
    tracemalloc.start()
    with pytest.raises(ContentTooLarge):
        decode(bomb, ["br"], MB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MB

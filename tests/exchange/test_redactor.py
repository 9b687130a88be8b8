"""Keys that may be words are redacted where something is shown, and the wrong keys are near misses of the right one."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.secrets import REDACTED, REDACTED_WORD, Secret, is_unmistakable, near_misses

LONG = "k3y-Canary-Qz81Vm40Lr77Wd"
KEYS = st.text(string.ascii_letters + string.digits + "-_.~+/=", min_size=4, max_size=40)


# --- wrong keys -------------------------------------------------------------------------------------------------------


@given(KEYS)
def test_wrong_keys_differ_from_the_right_one_as_little_as_they_can(key: str) -> None:
    wrong, other_case = near_misses(Secret(key))
    assert len(wrong.reveal()) == len(key)
    assert sum(a != b for a, b in zip(key, wrong.reveal(), strict=True)) == 1
    assert wrong.reveal().lower() != key.lower()
    if other_case is None:
        assert not any(map(str.isalpha, key))
    else:
        assert other_case.reveal() != key
        assert other_case.reveal().lower() == key.lower()


@given(st.binary(min_size=3, max_size=40))
def test_a_wrong_key_is_not_the_right_one_for_who_decodes_base64(secret: bytes) -> None:
    for encode, decode in (
        (base64.b64encode, base64.b64decode),
        (base64.urlsafe_b64encode, base64.urlsafe_b64decode),
    ):
        key = encode(secret).decode()
        assert decode(near_misses(Secret(key))[0].reveal()) != secret
        bare = near_misses(Secret(key.rstrip("=")))[0].reveal()
        assert decode(bare + "=" * (-len(bare) % 4)) != secret


def test_no_wrong_key_is_shown() -> None:
    wrong, other_case = near_misses(Secret(LONG))
    assert other_case is not None
    redactor = Redactor(Secret(LONG), others=(wrong, other_case))
    for key in (wrong.reveal(), other_case.reveal()):
        assert redactor.text(f"the key {key} is wrong") == f"the key {REDACTED} is wrong"
        assert redactor.content(f"the key {key} is wrong".encode()) == f"the key {REDACTED} is wrong".encode()
    assert LONG not in repr(redactor)


# --- keys that may be words -------------------------------------------------------------------------------------------

WORDS = ("castle", "queue", "create_time", "1234", "json", "0000000000000000", "a-word-of-15-ch")


@pytest.mark.parametrize("key", ["dpmpp_2m_sde", "sd_xl_base_1.0", "euler", "v1-5-pruned", "8675-3090"])
def test_names_of_models_and_samplers_may_be_in_a_workflow_by_chance(key: str) -> None:
    assert not is_unmistakable(key)


@pytest.mark.parametrize("key", ["canary-4f1c9e", "a1b2c3d4e5f6", LONG])
def test_a_random_key_is_not_in_a_workflow_by_chance(key: str) -> None:
    assert is_unmistakable(key)
    assert Redactor(Secret(key)).echoes((), f"you sent {key}".encode()) == ("",)


@pytest.mark.parametrize("key", WORDS)
def test_a_word_is_an_echo_only_beside_the_name_of_its_header(key: str) -> None:
    redactor = Redactor(Secret(key))
    assert not is_unmistakable(key)
    assert redactor.echoes((("X-Note", key),), f'{{"text": "{key}", "{key}": 1}}'.encode()) == ()
    for body in (f'{{"X-API-Key": "{key}"}}', f'{{"x_api_key":"{key}"}}', f"x-api-key: {key}", f"X-Api-Key={key}&a=1"):
        assert redactor.echoes((), body.encode()) == ("",), body
    assert redactor.echoes((("X-API-Key", key), ("X-Sent", f"x-api-key={key}")), b"") == ("X-API-Key", "X-Sent")
    assert redactor.echoes((), f'{{"X-API-Key": "{key}s"}}'.encode()) == ()


@pytest.mark.parametrize("key", [*WORDS, LONG])
def test_no_key_is_in_what_is_shown(key: str) -> None:
    redactor = Redactor(Secret(key))
    text = redactor.text(f"you sent <{key}>")
    assert text in {f"you sent <{REDACTED_WORD}>", f"you sent <{REDACTED}>"} or key in {"queue", "create_time"}
    assert redactor.content(f"you sent <{key}>".encode()) == text.encode()


def test_names_that_every_queue_has_stay_readable() -> None:
    redactor = Redactor(Secret("queue"))
    shown = '{"queue_running": [], "queue_pending": []}'
    assert redactor.text(shown) == shown
    assert redactor.text("/queue_running/0/1") == "/queue_running/0/1"
    assert redactor.text("queues") == f"{REDACTED_WORD}s"


@pytest.mark.parametrize("words", ["masterpiece-best-quality", "a masterpiece-level photo", "queue_pending"])
def test_words_that_a_long_key_begins_with_are_not_the_key(words: str) -> None:
    redactor = Redactor(Secret("masterpiece-best-quality-key"))
    assert redactor.echoes((), words.encode()) == ()
    assert redactor.echoes((), b"masterpiece-best-quality-key") == ("",)


@pytest.mark.parametrize("size", range(4, 12))
def test_a_cut_spares_no_part_of_a_key(size: int) -> None:
    redactor = Redactor(Secret(LONG))
    assert redactor.cut(f"you sent {LONG[:size]}… (9,000 characters)") == f"you sent {REDACTED}… (9,000 characters)"
    assert redactor.cut(f"you sent {LONG[:size]}") == f"you sent {REDACTED}"
    assert redactor.cut(f"{LONG[-size:]} was sent") == f"{REDACTED} was sent"


def test_without_a_key_nothing_is_taken_out() -> None:
    assert not NOTHING
    assert NOTHING.cut(LONG) == LONG
    assert NOTHING.echoes((("X-API-Key", LONG),), LONG.encode()) == ()

"""What a server sent is shown, and never acts."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from conformance.text.safe import line, printable, visible
from helpers.report_samples import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_is_printable_and_no_command(text: str) -> None:
    """Wherever it is cut, nothing that a terminal or a CI system acts upon is left."""
    shown = line(text)
    assert shown.isprintable()
    assert "::error" not in shown
    assert "::stop-commands" not in shown
    assert "::add-mask" not in shown
    assert "##vso[" not in shown
    assert "##[" not in shown


def test_harmless_text_is_left_alone() -> None:
    """An address in brackets, accents and emoji stay as they are."""
    for text in ("http://[::1]:8188/api/queue", "http://[::ffff:127.0.0.1]/", "é ü 漢字 🙂", "std::", "## heading"):
        assert line(text) == text


def test_the_hidden_is_spelt_out() -> None:
    """Controls and overrides become their escapes; what is kept is kept."""
    assert visible("a\x1b\u202e\U000e0001") == "a\\u001b\\u202e\\U000e0001"
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\u000d"


def test_a_long_text_is_cut_and_its_length_told() -> None:
    assert printable("x" * 160) == "x" * 160
    assert printable("x" * 161) == "x" * 160 + "… (161 characters)"
    assert printable("x" * 1000, more=3000) == "x" * 160 + "… (4,000 characters)"
    assert printable("abc", 2) == "ab… (3 characters)"


DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""Characters that renderers do not show, from DerivedCoreProperties.txt of Unicode 16."""
BLANK = {0x2800, 0x13441, 0x13442, 0x1D159}
"""A Braille pattern, two hieroglyphs and a note that have a width and no ink."""
EMOJI_SELECTORS = {0xFE0E, 0xFE0F}
UNSEEN = {code for first, last in DEFAULT_IGNORABLE for code in range(first, last + 1)} - EMOJI_SELECTORS | BLANK


def as_shown(code: int) -> str:
    """Return how a character must be shown: escaped unless a reader sees it and it acts on nothing around it."""
    char = chr(code)
    if code not in UNSEEN and (char == " " or unicodedata.category(char)[0] not in "CZ"):
        return char
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def test_every_character_of_unicode_is_seen_or_escaped() -> None:
    """Every function that shows text follows the same rule, and escapes of different characters differ."""
    for start in range(0, sys.maxunicode + 1, 0x1000):
        codes = range(start, start + 0x1000)
        text, expected = "".join(map(chr, codes)), "".join(map(as_shown, codes))
        assert visible(text) == expected, f"from U+{start:04X}"
        assert line(text) == expected, f"from U+{start:04X}"
        assert printable(text, limit=len(text)) == expected, f"from U+{start:04X}"

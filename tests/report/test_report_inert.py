"""What a server sent is shown, and never acts."""

from __future__ import annotations

import pytest
from report_samples import HOSTILE

from conformance.text.safe import line, visible


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

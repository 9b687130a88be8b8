"""Compiled templates, kept where Python keeps compiled modules: to compile one takes longer than to fill it."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class Compiled(FileSystemBytecodeCache):
    """Keeps them in ``__pycache__`` beside this file, and nowhere where Python may not write or is told not to.

    One that was made from another template, by another Python, another Jinja or other settings of ours is not used, but
    made anew.
    """

    def __init__(self) -> None:
        super().__init__(str(Path(cache_from_source(__file__)).parent), f"%s.{sys.implementation.cache_tag}.jinja")
        makers = (files("conformance.render") / "page.py", files("jinja2") / "compiler.py")
        self._makers = super().get_source_checksum("".join(maker.read_text("utf-8") for maker in makers))

    def get_source_checksum(self, source: str) -> str:
        """Return the digest of a template together with what compiles it."""
        return super().get_source_checksum(source + self._makers)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take a kept one, where there is one that can be read."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one; the files of a package are often not for its users to write."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)

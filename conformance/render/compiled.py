"""Cache compiled templates next to Python's compiled modules, because compiling one takes longer than rendering it."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class Compiled(FileSystemBytecodeCache):
    """Stores compiled templates in ``__pycache__`` beside this file, if Python may write there.

    If the source of a template, Python, Jinja or ``page.py`` has changed, the template is compiled again.
    """

    def __init__(self) -> None:
        super().__init__(str(Path(cache_from_source(__file__)).parent), f"%s.{sys.implementation.cache_tag}.jinja")
        makers = (files("conformance.render") / "page.py", files("jinja2") / "compiler.py")
        self._makers = super().get_source_checksum("".join(maker.read_text("utf-8") for maker in makers))

    def get_source_checksum(self, source: str) -> str:
        """Return the digest of a template and of everything that its compilation depends on."""
        return super().get_source_checksum(source + self._makers)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a compiled template from the cache, if it is readable."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store a compiled template.

        Errors are ignored: users often cannot write to the directory of an installed package.
        """
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)

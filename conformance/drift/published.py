"""Find the OpenAPI document in a fetched page, parse it, and reduce it to GET /api/queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from conformance.spec.document import OpenApiDocument
from conformance.text.pointer import unescape

PATH: Final = "/api/queue"
METHOD: Final = "get"
_FENCE: Final = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<word>[\w-]*)")
_REFERENCE: Final = re.compile(r"#/components/([\w-]+)/([^/]+)")


class NoDocument(ValueError):
    """The fetched page does not contain an OpenAPI document. The message says why."""


@dataclass(frozen=True)
class Published:
    """An OpenAPI document in two forms: parsed, with all member names as strings, and as YAML or JSON text."""

    document: OpenApiDocument
    text: str


def read(content: bytes) -> Published:
    """Parse a page that is an OpenAPI document in YAML or JSON, or Markdown with such a document in a code block.

    YAML aliases are refused, because a few lines of them can expand to more than fits into memory. Raises NoDocument if
    the page has no OpenAPI document.
    """
    try:
        page = content.decode()
    except UnicodeDecodeError:
        raise NoDocument("it is not UTF-8") from None
    why = "it is empty"
    for text in (page, *_fenced_blocks(page)):
        try:
            document = _parse(text)
        except NoDocument as problem:
            why = str(problem)
            continue
        if isinstance(document, dict) and "openapi" in document and isinstance(document.get("paths"), dict):
            return Published(document, text)
        why = "it is not an OpenAPI document"
    raise NoDocument(why)


def excerpt(published: Published) -> str:
    """Return the text of a document with only GET /api/queue and everything that it refers to.

    The lines of all other members are removed. If that is impossible because members share lines, the text is written
    anew.
    """
    import yaml

    wanted = _names_to_keep(published.document)
    kept = _keep(published.document, wanted)
    node = yaml.compose(published.text, Loader=_loader())
    lines = published.text.splitlines(keepends=True)
    left_out = set(_left_out(node, wanted, len(lines)))
    text = "".join(line for number, line in enumerate(lines) if number not in left_out)
    try:
        if _parse(text) == kept:
            return text
    except NoDocument:
        pass
    written: str = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=120)
    return written


def _fenced_blocks(page: str) -> Iterator[str]:
    """Yield the content of each YAML or JSON code block in a Markdown page."""
    fence = ""
    kept: list[str] | None = None
    for line in page.splitlines(keepends=True):
        match = _FENCE.match(line)
        if not fence:
            if match:
                fence, kept = match["fence"], [] if match["word"].lower() in {"yaml", "yml", "json"} else None
        elif match and match["fence"].startswith(fence) and not line.strip(" \t\r\n").strip(fence[0]):
            if kept is not None:
                yield "".join(kept)
            fence = ""
        elif kept is not None:
            kept.append(line)


def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise NoDocument("it uses YAML aliases, which are not supported")
            return super().compose_node(parent, index)

    return Loader


def _parse(text: str) -> Any:
    import yaml

    try:
        return _with_string_names(yaml.load(text, Loader=_loader()))  # noqa: S506 - a restricted safe loader
    except RecursionError:
        raise NoDocument("it is nested too deeply") from None
    except NoDocument:
        raise
    except (yaml.YAMLError, ValueError):
        raise NoDocument("it is neither YAML nor JSON") from None


def _with_string_names(value: Any) -> Any:
    """Return a value with every member name converted to a string, so that ``200:`` and ``"200":`` are the same."""
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else str(name): _with_string_names(member) for name, member in value.items()
        }
    return [_with_string_names(element) for element in value] if isinstance(value, list) else value


_Wanted = dict[str, Any]
"""The names of members to keep. The value is a dict of the names to keep below it, or True for all of them."""


def _names_to_keep(document: OpenApiDocument) -> _Wanted:
    """Return the members to keep in the excerpt: everything except other operations and unused components."""
    components = _member(document, "components")
    kept: dict[str, _Wanted] = {"securitySchemes": dict.fromkeys(_member(components, "securitySchemes"), True)}
    found = [_member(document, "paths", PATH, METHOD)]
    while found:
        for kind, name in _references(found.pop()):
            if name not in kept.setdefault(kind, {}):
                kept[kind][name] = True
                found.append(_member(components, kind, name))
    return {**dict.fromkeys(document, True), "paths": {PATH: {METHOD: True}}, "components": kept}


def _member(value: Any, *names: str) -> OpenApiDocument:
    """Return the object at a path of member names, or an empty dict if the path does not exist."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        match = _REFERENCE.fullmatch(value["$ref"]) if isinstance(value.get("$ref"), str) else None
        if match:
            yield match[1], unescape(match[2])
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(member)


def _keep(value: Any, wanted: _Wanted | bool) -> Any:  # noqa: FBT001 - True means all names below
    if not isinstance(wanted, dict) or not isinstance(value, dict):
        return value
    return {name: _keep(member, wanted[name]) for name, member in value.items() if name in wanted}


def _left_out(node: Any, wanted: _Wanted, end: int) -> Iterator[int]:
    """Yield the numbers of the lines with unwanted members. ``end`` is the number of the line after the last one."""
    from yaml import MappingNode

    members = node.value
    ends = [name.start_mark.line for name, _ in members[1:]] + [end]
    for (name, value), after in zip(members, ends, strict=True):
        below = wanted.get(name.value)
        if below is None:
            yield from range(name.start_mark.line, after)
        elif isinstance(below, dict) and isinstance(value, MappingNode):
            yield from _left_out(value, below, after)

"""Read the OpenAPI document given with ``--document``: validate it, and correct mistakes that it shares with ours."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from conformance.problems import UsageProblem
from conformance.spec.document import Erratum, OpenApiDocument, errata, load_document, load_probing, resolve
from conformance.spec.operation import METHOD, PATH, Described, path_for
from conformance.text.pointer import pointer_to
from conformance.text.safe import printable

LARGEST: Final = 32 << 20
"""Maximum size of an OpenAPI document in bytes."""
_NAMED: Final = 5
"""Maximum number of paths that an error message names."""


def read_described(file: str | Path, queue_path: str) -> Described:
    """Read a JSON or YAML file with OpenAPI 3.0 or 3.1 that describes GET of ``queue_path``.

    Raises UsageProblem with one line that says what is wrong and where.
    """
    content = _content(Path(file))
    document = _validate(_parse(content, file), file)
    path = path_for(document, queue_path)
    if path is None:
        raise UsageProblem(_not_described(document, file, queue_path))
    corrected, unmatched = _apply_errata(document, path)
    return Described(
        Path(file).name,
        hashlib.sha256(content).hexdigest(),
        _add_probing(corrected, path),
        path,
        own=True,
        unmatched=unmatched,
    )


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageProblem(f"--document {file} cannot be read ({error.strerror}): give an OpenAPI document") from None
    if len(content) > LARGEST:
        raise UsageProblem(f"--document {file} is larger than {LARGEST >> 20} MiB: give an excerpt with the operation")
    return content


def _parse(content: bytes, file: str | Path) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _plain(yaml.load(content, loader))  # noqa: S506 - both are safe loaders; JSON is YAML
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageProblem(f"--document {file}{place} is neither JSON nor YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageProblem(f"--document {file} is neither JSON nor YAML: {printable(str(error), 200)}") from None


def _plain(value: Any) -> Any:
    """Return a value parsed from YAML as a JSON value: dates and numeric keys become strings.

    Raises RecursionError for a cycle.
    """
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _validate(document: Any, file: str | Path) -> OpenApiDocument:
    """Return the document if it is valid OpenAPI 3.0 or 3.1 in one file. Raises UsageProblem for the first problem."""
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""
    if not version.startswith(("3.0.", "3.1.")):
        problem = f"is OpenAPI {printable(version, 20)}" if version else "is not an OpenAPI document"
        raise UsageProblem(f"--document {file} {problem}: give one of OpenAPI 3.0 or 3.1")
    for pointer, reference in _references(document):
        if not str(reference).startswith("#"):
            shown = printable(str(reference), 100)
            raise UsageProblem(f"--document {file}, {pointer} refers to {shown}: bundle it into one file")
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    validator = OpenAPIV30SpecValidator if version.startswith("3.0.") else OpenAPIV31SpecValidator
    try:
        error = next(iter(validator(document).iter_errors()), None)
    except Exception as failure:  # noqa: BLE001 - the validator raises various errors, for example for a broken reference
        raise UsageProblem(f"--document {file} cannot be validated: {printable(str(failure), 200)}") from None
    if error is not None:
        place = pointer_to(*map(str, error.absolute_path)) or "the top"
        raise UsageProblem(f"--document {file}, {place} is not valid OpenAPI: {_first_line(error)}")
    return document  # type: ignore[no-any-return]


def _first_line(error: Exception) -> str:
    """Return the first line of a validator's message, because some versions append the whole schema and value."""
    return printable(str(getattr(error, "message", error)).strip().splitlines()[0], 200)


def _references(value: Any, *above: str | int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield pointer_to(*map(str, above)), value["$ref"]
        for name, each in value.items():
            if name not in {"example", "examples", "default", "enum", "const"}:
                yield from _references(each, *above, name)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _references(each, *above, index)


def _not_described(document: OpenApiDocument, file: str | Path, queue_path: str) -> str:
    paths = [path for path, item in document.get("paths", {}).items() if isinstance(item, Mapping) and METHOD in item]
    shown = [printable(path, 60) for path in paths if "queue" in path] or [printable(path, 60) for path in paths]
    more = ", …" if len(shown) > _NAMED else ""
    hint = f"; it has GET {', '.join(shown[:_NAMED])}{more}: name yours with --queue-path" if shown else ""
    return f"--document {file} does not describe GET {queue_path}{hint}"


def _apply_errata(document: OpenApiDocument, path: str) -> tuple[OpenApiDocument, tuple[str, ...]]:
    """Apply the errata of the published document that also fit this one.

    Return the result, and the ids of the other errata. An erratum fits if both documents have the same value at the
    place that it corrects.
    """
    published = load_document()
    matching: list[Erratum] = []
    unmatched: list[str] = []
    for erratum in errata():
        there = _at(erratum.pointer.replace(pointer_to(PATH), pointer_to(path)), document)
        if there is not None and there == _at(erratum.pointer, published):
            matching.append(erratum)
        else:
            unmatched.append(erratum.id)
    actions = [
        {"target": _target(each.target, path), **({"remove": True} if each.update is None else {"update": each.update})}
        for each in matching
    ]
    return _apply(document, actions), tuple(unmatched)


def _add_probing(corrected: OpenApiDocument, path: str) -> OpenApiDocument:
    document = copy.deepcopy(corrected)
    document.setdefault("components", {}).setdefault("schemas", {})
    actions = [{**action, "target": _target(action["target"], path)} for action in load_probing()["actions"]]
    return _apply(document, actions)


def _apply(document: OpenApiDocument, actions: list[dict[str, Any]]) -> OpenApiDocument:
    from oas_patch import apply_overlay

    applied: OpenApiDocument = apply_overlay(copy.deepcopy(document), {"actions": copy.deepcopy(actions)})
    return applied


def _target(target: str, path: str) -> str:
    return target.replace(f"['{PATH}']", f"['{path}']")


def _at(pointer: str, document: OpenApiDocument) -> object:
    try:
        return resolve(pointer, document)
    except LookupError:
        return None

"""Find values for the parameters that an OpenAPI document requires of every request."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from conformance.probe.requests import Required
from conformance.properties.families import Family, families
from conformance.properties.names import DECLARED
from conformance.spec.operation import Described, place_of
from conformance.text.json_text import texts


def required_by(described: Described, without: Collection[str] = ()) -> Required:
    """Return the required headers and query parameters, each with the first value in the document or a random one."""
    family = _declared_family(described, without)
    if family is None:
        return Required()
    declared = _names_in(family)
    if not family.required:
        return Required(declared=declared)
    values: dict[tuple[str, str], str] = {}
    for place, value in family.pairs(Random(0)):  # noqa: S311 - not a secret
        values.setdefault(place, texts(value)[0])
    missing = [place for each in family.required if (place := place_of(each)) not in values]
    if missing:
        values |= _draw(family, missing)
    needed = [(*place_of(each), values[place_of(each)]) for each in family.required]
    cookies = "; ".join(f"{name}={value}" for place, name, value in needed if place == "cookie")
    headers = [(name, value) for place, name, value in needed if place == "header"]
    return Required(
        (*headers, *([("Cookie", cookies)] if cookies else [])),
        tuple((name, value) for place, name, value in needed if place == "query"),
        declared,
    )


def declared_values(described: Described, without: Collection[str] = ()) -> int:
    """Return how many requests it takes to send each value that a document declares, such as examples and bounds."""
    family = _declared_family(described, without)
    return 0 if family is None else len(family.coverage(Random(0)))  # noqa: S311 - not a secret


def declared_by(described: Described) -> tuple[str, ...]:
    """Return the names of the parameters that a document declares, as in ``Request.own_parameters``."""
    family = _declared_family(described, ())
    return () if family is None else _names_in(family)


def _declared_family(described: Described, without: Collection[str]) -> Family | None:
    found = families(described.probed, described.path, without)
    return next((each for each in found if each.name == DECLARED), None)


def _names_in(family: Family) -> tuple[str, ...]:
    places = map(place_of, family.parameters)
    return tuple({"query": f"?{name}", "header": name.lower()}.get(place, place) for place, name in places)


def _draw(family: Family, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    from conformance.properties.drawing import one_case, temporary_storage

    with temporary_storage():
        case = one_case(family)
    parts = {"query": case.query, "header": case.headers, "cookie": case.cookies}
    return {(place, name): texts((parts[place] or {}).get(name, ""))[0] for place, name in places}

"""Find values for the parameters that an OpenAPI document requires of every request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from random import Random
from urllib.parse import unquote_plus, urlsplit

from conformance.contract.conversation import OK
from conformance.exchange.model import Exchange, Request
from conformance.exchange.secrets import REDACTED, REDACTED_WORD
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


def with_declared(exchanges: Sequence[Exchange], described: Described) -> list[Exchange]:
    """Return recorded exchanges whose requests know which of their parts the document declares or requires.

    A value of a required parameter is known if every GET of the queue that a server answered with 200 has it. A request
    with another value is an unusual one, because it may be that of another user. A redacted value is not known.
    """
    family = _declared_family(described, ())
    if family is None:
        return list(exchanges)
    required = [place_of(each) for each in family.required]
    queries = {name for place, name in required if place == "query"}
    headers = {"cookie" if place == "cookie" else name.lower() for place, name in required if place != "query"}
    groups: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        groups[exchange.server].append(exchange)
    known = {server: _known(group, queries, headers) for server, group in groups.items()}
    declared = _names_in(family)
    found = []
    for exchange in exchanges:
        request, (query, values) = exchange.request, known[exchange.server]
        own_headers = tuple(sorted(name for name, value in values.items() if request.members(name) == value))
        request = replace(request, own_parameters=declared)
        if request.reads:
            request = replace(request, own_query=query, own_headers=own_headers)
        found.append(replace(exchange, request=request))
    return found


def _known(
    exchanges: Sequence[Exchange], queries: Collection[str], headers: Collection[str]
) -> tuple[str, dict[str, str]]:
    """Return the required part of the query string that all served requests have, and the values of such headers."""
    served = [one.request for one in exchanges if one.request.reads and one.request.head and one.status == OK]
    values = {name: _same(request.members(name) for request in served) for name in headers}
    query = _same("&".join(_pairs(request, queries)) for request in served)
    return query or "", {name: value for name, value in values.items() if value is not None}


def _pairs(request: Request, names: Collection[str]) -> list[str]:
    """Return the parts of the query string that set the parameters ``names``."""
    pairs = urlsplit(request.url).query.split("&")
    return [pair for pair in pairs if unquote_plus(pair.partition("=")[0]) in names]


def _same(values: Iterable[str | None]) -> str | None:
    """Return the value that all requests have; None if they differ, or if it may differ because it is redacted."""
    found = set(values)
    value = found.pop() if len(found) == 1 else None
    return None if value is None or REDACTED in value or REDACTED_WORD in value else value


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

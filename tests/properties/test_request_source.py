from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import chain

from conformance.properties.names import SEQUENCES
from conformance.properties.request_source import LONGEST, Parts, Prepared, RequestSource
from conformance.spec.operation import parameters_of, vendored

NUMBER = 300


@cache
def source() -> RequestSource:
    return RequestSource(vendored(), 1)


@cache
def requests() -> Prepared:
    return source().requests(NUMBER)


def families_of(parts: Parts) -> set[str]:
    by_name = {each["name"]: family.name for family in source().families for each in family.parameters}
    return {by_name[part.name] for part in parts}


def test_most_random_requests_mix_two_families_and_the_others_have_one() -> None:
    found = Counter(len(families_of(parts)) for parts in chain.from_iterable(requests().sequences))
    assert set(found) == {1, 2}
    assert 2 < found[2] / found[1] < 10


def test_a_request_is_counted_for_its_family_or_for_the_mixtures() -> None:
    for family, parts in requests().singles:
        assert len(families_of(parts)) == 2 if family == SEQUENCES else families_of(parts) == {family}


def test_most_requests_differ() -> None:
    asked = [*(each.parts for each in requests().singles), *chain.from_iterable(requests().sequences)]
    assert len(asked) == NUMBER
    assert len(set(asked)) > 0.8 * NUMBER


def test_a_sequence_has_several_requests() -> None:
    *complete, _ = requests().sequences
    assert {len(sequence) for sequence in complete} == set(range(2, LONGEST + 1))


def test_without_a_second_family_nothing_is_mixed() -> None:
    document = vendored()
    headers = {each["name"].lower() for each in parameters_of(document.probed, document.path) if each["in"] == "header"}
    prepared = RequestSource(document, 1, without=headers).requests(NUMBER)
    assert len(prepared.singles) + sum(map(len, prepared.sequences)) == NUMBER
    assert {each.family for each in prepared.singles} == {"undeclared query"}

from __future__ import annotations

from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.large import LargeReading
from conformance.contract.terms import FastPath, Level
from conformance.exchange.stored import BodyStore, StoredBody
from helpers.queue_bodies import body, job

MIB = 1 << 20


def test_a_body_above_1_mib_is_parsed_in_parts() -> None:
    content = body(job())
    assert isinstance(reading_of(content), FastReading)
    assert isinstance(reading_of(content.ljust(MIB)), FastReading)
    assert isinstance(reading_of(content.ljust(MIB + 1)), LargeReading)


def test_a_body_in_a_file_is_parsed_in_parts() -> None:
    stored = BodyStore().keep(body(job()).ljust(MIB + 1))
    assert isinstance(stored, StoredBody)
    assert isinstance(reading_of(stored), LargeReading)


def test_the_fast_path_proves_every_clause_unless_only_must_is_wanted() -> None:
    everything, must = (reading_of(body(job()), must_only=must_only) for must_only in (False, True))
    assert reading_of(body(job())).remaining(FastPath.EACH_JOB, Level.SHOULD).exercised
    assert everything.remaining(FastPath.EACH_JOB, Level.SHOULD).exercised
    assert not must.remaining(FastPath.EACH_JOB, Level.SHOULD).exercised

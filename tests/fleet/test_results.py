"""What a fleet leaves is whole, whatever ends it, and can be gone on with."""

from __future__ import annotations

import errno
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from conformance.fleet.result_lines import Footer
from conformance.fleet.results import REPORTS, RESULTS, Results, endpoints, header_and_footer, pack_report, report_of
from conformance.fleet.tally import FleetTally
from conformance.judge.report import Report
from conformance.problems import UsageProblem
from conformance.reference.server import serve
from conformance.run.one_run import check
from conformance.run.settings import Settings
from helpers.fleet_samples import HEADER, MILLISECONDS, broken, kept


@pytest.fixture(scope="module")
def report() -> Report:
    with serve() as endpoint:
        return check(Settings(target=endpoint.url))


@contextmanager
def room(results: Results, size: int) -> Iterator[None]:
    """Let the disk take ``size`` bytes more, and then be full."""
    left = size
    wrapped = {}
    for name in ("_results", "_reports"):
        file = wrapped[name] = getattr(results, name)

        class Full:
            def __init__(self, inner: object) -> None:
                self._inner = inner

            def __getattr__(self, attribute: str) -> object:
                return getattr(self._inner, attribute)

            def write(self, content: memoryview) -> int:
                nonlocal left
                if left <= 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                taken = min(left, len(content))
                left -= taken
                return int(self._inner.write(content[:taken]))  # type: ignore[attr-defined]

        setattr(results, name, Full(file))
    yield
    for name, file in wrapped.items():
        setattr(results, name, file)


def names(directory: Path) -> list[str]:
    return [each.name for each in endpoints(directory)]


def test_a_report_is_found_again_among_others(tmp_path: Path, report: Report) -> None:
    other = structs.replace(report, verdict_reason="another")
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), pack_report(report))
        results.add(kept("b"), None)
        results.add(kept("c"), pack_report(other))
    a, b, c = endpoints(tmp_path)
    assert (report_of(tmp_path, a), report_of(tmp_path, c)) == (report, other)
    with pytest.raises(UsageProblem, match=r"the report of 'b' was not kept"):
        report_of(tmp_path, b)


def test_the_reports_are_lines_of_json_for_everybody(tmp_path: Path, report: Report) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), pack_report(report))
        results.add(kept("b"), pack_report(report))
    lines = gzip.decompress((tmp_path / REPORTS).read_bytes()).splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["conformant", "conformant"]


def test_a_file_without_a_footer_is_of_a_fleet_that_did_not_end(tmp_path: Path) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), None)
    assert header_and_footer(tmp_path) == (HEADER, None)
    footer = FleetTally(endpoints(tmp_path)).footer("2026-02-03T03:00:00.000Z")
    with Results.resume(tmp_path, HEADER) as results:
        results.write(footer)
    assert header_and_footer(tmp_path) == (HEADER, footer)
    assert (footer.endpoints, footer.exit, footer.counts["conformant"]) == (1, 0, 1)


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_what_was_cut_off_in_the_middle_of_a_line_is_done_again(tmp_path: Path, report: Report, cut: int) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), pack_report(report))
        results.add(kept("b"), pack_report(report))
    path = tmp_path / RESULTS
    path.write_bytes(path.read_bytes()[:-cut])
    assert names(tmp_path) == ["a"]
    with Results.resume(tmp_path, HEADER) as results:
        assert ("a" in results.done, "b" in results.done) == (True, False)
        results.add(kept("b"), pack_report(report))
    assert names(tmp_path) == ["a", "b"]
    assert [report_of(tmp_path, each) for each in endpoints(tmp_path)] == [report, report]
    assert len(gzip.decompress((tmp_path / REPORTS).read_bytes()).splitlines()) == 2


@pytest.mark.parametrize("size", [0, 1, 400, 12_500])
def test_on_a_full_disk_what_was_finished_stays_and_nothing_half_done_is_left(
    tmp_path: Path, report: Report, size: int
) -> None:
    kept_report = pack_report(report)
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), kept_report)
        sizes = [(tmp_path / name).stat().st_size for name in (RESULTS, REPORTS)]
        with room(results, min(size, len(kept_report) + 100)), pytest.raises(OSError, match="No space left"):
            results.add(kept("b"), kept_report)
        assert [(tmp_path / name).stat().st_size for name in (RESULTS, REPORTS)] == sizes
        results.add(kept("b"), kept_report)
    assert [report_of(tmp_path, each) for each in endpoints(tmp_path)] == [report, report]


def test_a_fleet_that_did_not_end_is_not_written_over_by_mistake(tmp_path: Path) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), None)
    with pytest.raises(UsageProblem, match="unfinished run: continue with --resume, or start again with --fresh"):
        Results.begin(tmp_path, HEADER)
    with Results.begin(tmp_path, HEADER, fresh=True):
        pass
    assert names(tmp_path) == []


def test_a_fleet_that_ended_gives_way_to_the_next_one(tmp_path: Path) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), None)
        results.write(FleetTally([kept("a")]).footer("2026-02-03T03:00:00.000Z"))
    with Results.begin(tmp_path, HEADER):
        pass
    assert names(tmp_path) == []


def test_somebody_elses_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_text('{"mine": true}\n', encoding="utf-8")
    with pytest.raises(UsageProblem, match="damaged at line 1"):
        Results.begin(tmp_path, HEADER)
    assert (tmp_path / RESULTS).read_text(encoding="utf-8") == '{"mine": true}\n'


def test_two_fleets_do_not_write_into_one_file(tmp_path: Path) -> None:
    with (
        Results.begin(tmp_path, HEADER),
        pytest.raises(UsageProblem, match="is being written by another run"),
    ):
        Results.resume(tmp_path, HEADER)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suite_version": "0.0.1"}, "started by version"),
        ({"document_sha256": "0" * 64}, "started by version"),
        ({"part": "1/2"}, "started with a different --part"),
        ({"options": {"dialect": "oss", "insecure": True}}, "started with a different --dialect, --insecure"),
    ],
)
def test_what_was_begun_otherwise_is_not_gone_on_with(tmp_path: Path, change: dict[str, object], told: str) -> None:
    with Results.begin(tmp_path, structs.replace(HEADER, **change)):
        pass
    with pytest.raises(UsageProblem, match=told):
        Results.resume(tmp_path, HEADER)


@pytest.mark.parametrize("there", [False, True])
def test_where_nothing_is_to_go_on_with_it_begins(tmp_path: Path, *, there: bool) -> None:
    """A job that is started again and again says --resume each time; the first time may have left an empty file."""
    if there:
        (tmp_path / RESULTS).touch()
    with Results.resume(tmp_path, HEADER):
        pass
    assert header_and_footer(tmp_path) == (HEADER, None)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    with Results.begin(tmp_path, HEADER) as results:
        results.add(kept("a"), None)
        results.add(kept("b"), None)
    path = tmp_path / RESULTS
    path.write_bytes(path.read_bytes().replace(b'"endpoint"', b'"endpiont"', 1))
    with pytest.raises(UsageProblem, match="damaged at line 2"):
        names(tmp_path)


def test_the_worst_of_all_is_the_exit_status() -> None:
    lines = [kept("a"), kept("b", outcome="inconclusive", exit=10), kept("c", outcome="error", exit=3)]
    assert FleetTally(lines[:1]).exit == 0
    assert FleetTally(lines[:2]).exit == 10
    assert FleetTally(lines).exit == 3
    assert FleetTally([*lines, broken("d", MILLISECONDS)]).exit == 1
    footer = FleetTally(lines).footer("")
    assert isinstance(footer, Footer)
    assert (footer.outcome, footer.endpoints) == ("error", 3)

"""``pytest --pyargs conformance``, as a user starts it: in a process of its own, in a folder outside this project."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Level, profile_of
from conformance.properties.families import names
from conformance.reference.server import KEY, Endpoint, serve
from conformance.spec.operation import vendored
from helpers.commands import (
    ALONE,
    BIN,
    NOWHERE,
    TWO_WORKERS,
    Done,
    left_behind,
    plain_pytest,
    report,
    run,
    suite,
    whole_suite,
)

SUITE = "conformance/suite/test_contract.py"
MUST = sum(clause.level is Level.MUST for clause in CATALOGUE)


@pytest.fixture
def conforming() -> Iterator[Endpoint]:
    with serve(variant="standing-still") as endpoint:
        yield endpoint


@pytest.fixture
def broken() -> Iterator[Endpoint]:
    """Serve ids that are no UUIDs."""
    with serve(fault="id-as-short-code") as endpoint:
        yield endpoint


@pytest.fixture
def shouting() -> Iterator[Endpoint]:
    """Serve ids in upper case, which a `should` speaks of."""
    with serve(fault="id-in-upper-case") as endpoint:
        yield endpoint


def collected(done: Done) -> list[str]:
    return [line for line in done.stdout.splitlines() if "::" in line]


def was_told(done: Done, folder: Path) -> None:
    """Assert that a run ended with its verdict as its words say, and left a report."""
    assert "= conformance =" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.name for path in (folder / "reports/latest").iterdir()} == {
        "compliance.json",
        "index.html",
        "junit.xml",
        "summary.md",
    }


# --- what is run, and what is said of it ---------------------------------------------------------


def test_a_whole_run_ends_with_counts_and_verdict(tmp_path: Path) -> None:
    done = suite(tmp_path)
    assert done.returncode == 0
    was_told(done, tmp_path)
    assert "checking the embedded reference endpoint, not your server" in done.stdout
    assert re.search(r"^Checked \d+ of \d+ clauses that this run could check: \d+ passed$", done.stdout, re.MULTILINE)
    assert re.search(r"^    queue      \d+ of \d+$", done.stdout, re.MULTILINE)
    assert "\nConformant: " in done.stdout
    assert report(tmp_path)["run"]["partial"] is False


def test_there_is_one_item_for_each_clause_and_to_collect_them_sends_nothing(
    tmp_path: Path, conforming: Endpoint
) -> None:
    for more in [(), TWO_WORKERS]:
        done = suite(tmp_path, "--target", conforming.url, "--collect-only", "-q", *more)
        assert done.returncode == 0
        clauses = [f"{SUITE}::test_clause[{clause.id}]" for clause in CATALOGUE]
        families = [f"{SUITE}::test_property[GET /api/queue / {name}]" for name in names(vendored())]
        assert collected(done) == clauses + families
    assert conforming.reference.reads == 0
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("selection", "number"),
    [
        (["-m", "must"], MUST),
        (["-m", "must and item"], sum(c.level is Level.MUST and c.subject == "item" for c in CATALOGUE)),
        (["-m", "core"], sum(c.core for c in CATALOGUE)),
        (["-m", "http and should"], sum(profile_of(c.id) == "http" and c.level is Level.SHOULD for c in CATALOGUE)),
        (["-k", "prompt-id"], sum("prompt-id" in c.id for c in CATALOGUE)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_markers_and_names_select_clauses(tmp_path: Path, selection: list[str], number: int) -> None:
    assert len(collected(suite(tmp_path, "--collect-only", "-q", "--strict-markers", *selection))) == number


def test_a_selection_is_partial_and_its_verdict_is_of_the_selected_alone(tmp_path: Path, broken: Endpoint) -> None:
    done = suite(tmp_path, "--target", broken.url, "-k", "array")
    assert done.returncode == 0
    assert "[partial run]" in done.stdout
    left = report(tmp_path)
    assert left["verdict"] == "conformant"
    assert (left["run"]["partial"], left["run"]["selected"]) == (True, "-k 'array'")
    assert [clause["id"] for clause in left["clauses"]] == [c.id for c in CATALOGUE if "array" in c.id]


def test_clauses_can_be_chosen_by_pattern(tmp_path: Path, broken: Endpoint) -> None:
    options = ("--target", broken.url, "--properties", "0", "--clause")
    assert suite(tmp_path, *options, "item.create-time.*").returncode == 0
    assert suite(tmp_path, *options, "item.prompt-id.*", "--clause", "auth", "-k", "prompt-id").returncode == 1
    left = report(tmp_path)
    chosen = [clause.id for clause in CATALOGUE if clause.id.startswith("item.prompt-id.")]
    assert [clause["id"] for clause in left["clauses"]] == chosen
    assert left["run"]["selected"] == "--clause 'item.prompt-id.*', --clause 'auth', -k 'prompt-id'"
    assert left["run"]["partial"]


def test_one_clause_can_be_named(tmp_path: Path, broken: Endpoint) -> None:
    node = f"{SUITE}::test_clause[item.prompt-id.uuid]"
    done = plain_pytest(tmp_path, "--pyargs", node, "--target", broken.url, "--properties", "0")
    assert done.returncode == 1
    left = report(tmp_path)
    assert left["counts"]["total"] == 1
    assert left["run"]["selected"] == "individually selected clauses"


def test_nothing_selected_is_5_and_sends_nothing(tmp_path: Path, conforming: Endpoint) -> None:
    assert suite(tmp_path, "--target", conforming.url, "-k", "klingon").returncode == 5
    assert conforming.reference.reads == 0
    assert not (tmp_path / "reports/latest/index.html").exists()


def test_a_failure_shows_findings_once_and_no_python_at_any_verbosity(tmp_path: Path, broken: Endpoint) -> None:
    done = suite(tmp_path, "--target", broken.url, "-vv", "--tb=long", "-l", "-rN")
    assert done.returncode == 1
    was_told(done, tmp_path)
    assert done.stdout.count("FAILED item.prompt-id.uuid (must: prompt_id (element 1 of a job) is a UUID)") == 1
    assert done.stdout.count("/queue_running/0/1 in ") == 1
    assert f"{SUITE}::test_clause[item.prompt-id.uuid] FAILED" in done.stdout
    assert "\nNon-conformant: 1 must clause broken: item.prompt-id.uuid" in done.stdout
    assert "def test_clause" not in done.stdout
    assert "plugin.py" not in done.stdout


def test_a_run_that_stops_at_the_first_failure_is_partial(tmp_path: Path, broken: Endpoint) -> None:
    done = suite(tmp_path, "--target", broken.url, "-x")
    assert done.returncode == 1
    left = report(tmp_path)
    assert left["run"]["selected"] == "stopped early"
    assert left["clauses"][-1]["id"] == "item.prompt-id.uuid"
    assert left["counts"]["total"] < len(CATALOGUE)


def test_skips_have_one_line_for_each_reason_and_the_report_has_all(tmp_path: Path) -> None:
    with serve(variant="empty-queue") as endpoint:
        done = suite(tmp_path, "--target", endpoint.url, "-rs", "--properties", "0")
        assert done.returncode == 10
        told = re.findall(r"^SKIPPED \[(\d+)\] \S+: (not checked: .*)$", done.stdout, re.MULTILINE)
        assert {reason for _, reason in told} == {
            "not checked: needs a job in the queue",
            "not checked: needs a key",
            "not checked: needs a response that the server did not send",
            "not checked: needs --populate",
            "not checked: needs --allow-writes",
        }
        assert len(told) == 5
        assert sum(int(number) for number, _ in told) == report(tmp_path)["counts"]["not-exercised"]
        assert "needs a job in either list" in {clause["reason"] for clause in report(tmp_path)["clauses"]}
        assert "\nInconclusive: the queue was always empty" in done.stdout
        assert suite(tmp_path, "--target", endpoint.url, "--inconclusive-ok").returncode == 0


def test_a_broken_should_is_no_pass_and_no_failure(tmp_path: Path, shouting: Endpoint) -> None:
    warns_once(suite(tmp_path, "--target", shouting.url, "-v"))


def warns_once(done: Done) -> None:
    """Assert that a run of several clauses, told with -v, shows the breach of one `should`."""
    assert done.returncode == 0
    assert "WARNED" in done.stdout
    assert f"{SUITE}::test_clause[item.prompt-id.lower-case] PASSED" not in done.stdout
    assert ", 1 warned" in done.stdout.splitlines()[-1]
    assert done.stdout.count(" item.prompt-id.lower-case: ") == 1


def test_a_broken_should_fails_where_it_is_to_fail(tmp_path: Path, shouting: Endpoint) -> None:
    done = suite(tmp_path, "--target", shouting.url, "--fail-on-should")
    assert done.returncode == 1
    assert "1 failed" in done.stdout.splitlines()[-1]


def test_several_workers_send_the_plan_once_and_make_one_report(tmp_path: Path, shouting: Endpoint) -> None:
    arguments = ("--target", shouting.url, "-v", "--history", "history.db")
    done = suite(tmp_path, *arguments, *TWO_WORKERS)
    warns_once(done)
    was_told(done, tmp_path)
    left = report(tmp_path)
    answered = [e for e in left["exchanges"] if e["request"]["method"] == "GET" and e["response"]["status"] == 200]
    assert shouting.reference.reads == len(answered) >= 28
    assert left["run"]["partial"] is False
    assert [run["number"] for run in left["history"]["runs"]] == [1]


@pytest.mark.deep
def test_several_workers_load_the_plugins_of_others_too(tmp_path: Path, conforming: Endpoint) -> None:
    done = whole_suite(tmp_path, "--target", conforming.url, "-n", "2")
    assert done.returncode == 0
    was_told(done, tmp_path)


def test_the_junit_xml_of_pytest_has_real_failures_and_skips(tmp_path: Path, broken: Endpoint) -> None:
    suite(tmp_path, "--target", broken.url, "--junitxml", "out.xml")
    cases = list(ET.parse(tmp_path / "out.xml").getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
    assert len(cases) == len(CATALOGUE) + len(names(vendored()))
    failed = [case for case in cases if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == ["test_clause[item.prompt-id.uuid]"]
    assert "prompt_id is not a UUID" in (failed[0].findtext("failure") or "")
    assert len([case for case in cases if case.find("skipped") is not None]) > 1


# --- targets that cannot be asked, and what was typed wrong --------------------------------------


@pytest.mark.parametrize(
    "more",
    [(), ("--inconclusive-ok",), pytest.param(TWO_WORKERS, marks=pytest.mark.deep)],
    ids=["alone", "forgiving", "-n 2"],
)
def test_a_port_where_nothing_listens_is_inconclusive(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = suite(tmp_path, "--target", NOWHERE, *more)
    assert done.returncode == 10
    was_told(done, tmp_path)
    assert "\nInconclusive: the target cannot be reached: Connection refused" in done.stdout


def test_a_name_that_does_not_resolve_is_inconclusive(tmp_path: Path) -> None:
    done = suite(tmp_path, "--target", "https://nowhere.invalid")
    assert done.returncode == 10
    was_told(done, tmp_path)
    assert "the target cannot be reached: the name cannot be resolved" in done.stdout


def test_a_port_that_speaks_no_tls_is_inconclusive(tmp_path: Path, conforming: Endpoint) -> None:
    done = suite(tmp_path, "--target", conforming.url.replace("http:", "https:"))
    assert done.returncode == 10
    was_told(done, tmp_path)
    assert "the target cannot be reached: TLS: " in done.stdout


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--target", "example.org:8188"], "give one such as http://example.org:8188"),
        (["--target", ""], "--target is set but empty"),
        (["--target", NOWHERE, "--dialect", "klingon"], "--dialect must be cloud, oss or auto"),
        (["--target", NOWHERE, "--api-key-env", "UNSET"], "--api-key-env names UNSET, which is not set"),
        (["--target", NOWHERE, "--report-dir", "taken"], "the report directory taken cannot be written"),
        (["--target", NOWHERE, "--report-dir", "taken/below"], "choose another with --report-dir"),
    ],
    ids=["no scheme", "no target", "dialect", "key", "file in its place", "below a file"],
)
def test_what_was_typed_wrong_is_one_line_and_4(tmp_path: Path, typed: list[str], told: str) -> None:
    (tmp_path / "taken").touch()
    done = suite(tmp_path, *typed)
    assert done.returncode == 4
    assert done.stdout == ""
    (line,) = done.stderr.split("\n\n")[0].splitlines()
    assert told in line


def test_the_help_names_every_option_with_its_default(tmp_path: Path) -> None:
    done = suite(tmp_path, "--help")
    assert done.returncode == 0
    start = done.stdout.index("conformance of GET /api/queue:")
    text = " ".join(done.stdout[start : done.stdout.index("[pytest]")].split())
    for option in ("--target=URL", "--queue-path=PATH", "--no-key", "[default: /api/queue]", "[default: 20]"):
        assert option in text


def test_an_error_of_the_suite_itself_is_one_line_and_3(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from conformance.run import one_run\n"
        "def stumble(settings, base, key, *_):\n"
        "    given = key.reveal()\n"
        "    raise LookupError(f'no {given}')\n"
        "one_run._run = stumble\n"
    )
    done = suite(
        tmp_path, "--target", NOWHERE, "-vv", "--tb=long", "-l", PYTHONPATH=str(tmp_path), COMFY_API_KEY="sesame-4711"
    )
    assert done.returncode == 3
    assert "internal error: LookupError: no " in done.stdout + done.stderr
    assert "Please report this" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "sesame" not in done.stdout + done.stderr


# --- the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["echoes-the-key", "echoes-the-key-in-a-header"])
def test_the_key_stands_nowhere_even_where_the_server_echoes_it(tmp_path: Path, fault: str) -> None:
    with serve(fault=fault) as endpoint:
        done = suite(
            tmp_path,
            "--target",
            endpoint.url,
            "-vv",
            "--tb=long",
            "-l",
            "-rA",
            "--junitxml=reports/latest/pytest.xml",
            COMFY_API_KEY=KEY,
        )
        assert endpoint.reference.reads > 28
    assert "auth.key-not-echoed" in done.stdout
    assert KEY not in done.stdout + done.stderr + left_behind(tmp_path)
    assert f"the key in COMFY_API_KEY is sent to {endpoint.url} and nowhere else" in done.stdout


def test_a_key_is_not_sent_over_plain_http_and_nothing_else_is(tmp_path: Path) -> None:
    done = suite(tmp_path, "--target", "http://192.0.2.1", COMFY_API_KEY=KEY)
    assert done.returncode == 4
    assert "would be sent over plain http" in done.stderr
    assert not (tmp_path / "reports").exists()


def test_no_key_is_sent_where_none_is_wished(tmp_path: Path) -> None:
    with serve(variant="key-enforced") as endpoint:
        done = suite(tmp_path, "--target", endpoint.url, "--no-key", COMFY_API_KEY=KEY)
        assert done.returncode == 10
        assert endpoint.reference.reads == 0
    assert "every GET of the queue gets a 401" in done.stdout


# --- folders of other people ---------------------------------------------------------------------


def folder_with_settings(folder: Path) -> None:
    (folder / "pytest.ini").write_text(
        "[pytest]\npython_files = check_*.py\npython_functions = check_*\npython_classes = Check\n"
        "testpaths = theirs\naddopts = -ra --strict-markers --doctest-modules\nusefixtures = theirs\n"
        "filterwarnings = error\nxfail_strict = true\n"
    )
    (folder / "theirs").mkdir()
    (folder / "theirs/check_theirs.py").write_text("def check_theirs(): assert False\n")
    (folder / "conftest.py").write_text("import pytest\n@pytest.fixture\ndef theirs(): pass\n")


def folder_with_a_package_of_that_name(folder: Path) -> None:
    folder_with_a_folder_of_that_name(folder)
    (folder / "conformance/__init__.py").touch()


def folder_with_a_folder_of_that_name(folder: Path) -> None:
    (folder / "conformance").mkdir()
    (folder / "conformance/test_theirs.py").write_text("def test_theirs(): assert False\n")
    (folder / "conformance/pytest.ini").write_text("[pytest]\npython_functions = check_*\naddopts = -ra\n")
    (folder / "conformance/conftest.py").write_text("raise RuntimeError('not yours to load')\n")


def folder_with_such_an_option(folder: Path) -> None:
    (folder / "conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--target')\n")


def folder_with_a_source_path(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = src\n")
    (folder / "src").mkdir()
    folder_with_a_package_of_that_name(folder / "src")


FOLDERS = [
    folder_with_settings,
    folder_with_a_folder_of_that_name,
    folder_with_a_package_of_that_name,
    folder_with_such_an_option,
    folder_with_a_source_path,
]
COMMANDS: dict[str, list[str | Path]] = {"pytest": [BIN / "pytest"], "python -m": [BIN / "python", "-m", "pytest"]}
"""The latter looks for modules in the folder first."""


@pytest.mark.parametrize(
    ("command", "prepare"),
    [
        pytest.param("pytest", folder_with_a_source_path, marks=pytest.mark.deep),
        pytest.param("python -m", folder_with_a_folder_of_that_name, marks=pytest.mark.deep),
        ("python -m", folder_with_a_package_of_that_name),
    ],
)
def test_no_folder_with_modules_stands_in_the_way_of_the_suite(
    tmp_path: Path, command: str, prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path)
    runs_its_clauses_alone(tmp_path, run(tmp_path, *COMMANDS[command], *ITEMS, **ALONE))


@pytest.mark.parametrize("prepare", [folder_with_settings, folder_with_such_an_option])
def test_no_folder_with_settings_stands_in_the_way_of_the_suite(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path)
    runs_its_clauses_alone(tmp_path, plain_pytest(tmp_path, *ITEMS))


@pytest.mark.deep
@pytest.mark.parametrize("prepare", FOLDERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_folder_stands_in_the_way_of_the_suite_among_all_plugins(
    tmp_path: Path, command: str, prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path)
    runs_its_clauses_alone(tmp_path, run(tmp_path, *COMMANDS[command], *ITEMS))


ITEMS = ("--pyargs", "conformance", "--target", "embedded", "--properties", "0", "-k", "item", "-v")


def runs_its_clauses_alone(folder: Path, done: Done) -> None:
    """Assert that nothing was run but the clauses on items."""
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in collected(done) if "%]" in line]
    assert len(lines) == report(folder)["counts"]["total"] > 20
    assert all(f"{SUITE}::test_clause[item." in line for line in lines)


def test_values_of_options_that_look_like_the_suite_stay_what_they_are(tmp_path: Path) -> None:
    done = suite(tmp_path, "-k", "conformance", "--report-dir", "conformance")
    assert done.returncode == 0
    assert (tmp_path / "conformance/index.html").is_file()


def test_tests_of_ones_own_may_run_beside_the_suite(tmp_path: Path, conforming: Endpoint) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/conftest.py").write_text("import pytest\n@pytest.fixture\ndef mine(): return 1\n")
    own = tmp_path / "own/test_own.py"
    own.write_text("def test_clause(mine): assert mine == 1\n")
    done = suite(tmp_path, "own", "--target", conforming.url)
    assert done.returncode == 0, done.stdout
    assert report(tmp_path)["run"]["partial"] is False
    own.write_text("def test_clause(mine): assert mine == 2\n")
    done = suite(tmp_path, "own", "--target", conforming.url)
    assert done.returncode == 1
    assert "\nConformant: " in done.stdout


def test_beside_tests_that_take_an_option_of_ours_it_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    folder_with_such_an_option(tmp_path / "own")
    done = suite(tmp_path, "own")
    assert done.returncode == 4
    assert "run the suite separately" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


OWN = """
import sys

OURS = {"httpx", "aiohttp", "jinja2", "junitparser", "msgspec", "click"}

def test_own(request):
    assert request.config.getoption("--target") == "mine"
    loaded = {name for name in sys.modules if name.partition(".")[0] == "conformance"}
    assert loaded | (OURS & set(sys.modules)) == set()
"""


@pytest.mark.parametrize(
    ("more", "extra"),
    [
        ((), ALONE),
        pytest.param((), {}, marks=pytest.mark.deep),
        pytest.param(("--profile",), {}, marks=pytest.mark.deep),
        pytest.param(("-n", "2"), {}, marks=pytest.mark.deep),
    ],
    ids=["alone", "among all", "profiling", "xdist"],
)
def test_where_it_is_not_asked_for_it_is_inert(tmp_path: Path, more: tuple[str, ...], extra: dict[str, str]) -> None:
    folder_with_such_an_option(tmp_path)
    (tmp_path / "test_own.py").write_text(OWN)
    others = ("-p", "no:anyio", "-p", "no:hypothesispytest")
    done = run(tmp_path, BIN / "pytest", *others, "--target", "mine", *more, **extra)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "conformance:" not in done.stdout
    assert not (tmp_path / "reports").exists()


def test_a_package_of_that_name_stays_somebody_elses(tmp_path: Path) -> None:
    folder_with_a_source_path(tmp_path)
    (tmp_path / "src/conformance/theirs.py").write_text("VALUE = 1\n")
    shutil.rmtree(tmp_path / "reports", ignore_errors=True)
    (tmp_path / "test_own.py").write_text("from conformance.theirs import VALUE\ndef test_own(): assert VALUE == 1\n")
    done = run(tmp_path, BIN / "pytest", "test_own.py", **ALONE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.deep
def test_the_suite_runs_under_a_profiler(tmp_path: Path) -> None:
    assert suite(tmp_path, "-p", "pytest_profiling", "--profile", "-k", "item").returncode == 0

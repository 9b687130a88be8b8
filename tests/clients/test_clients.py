"""What published clients make of a queue: against the reference endpoint, under both dialects, and where it is broken.

Out of the usual run: ``pytest -m clients``, or ``tox -e clients``. Wants npm, and installs from npm and PyPI.
``PYTHONPATH=tests python tests/clients/test_clients.py`` measures again and rewrites docs/clients-in-the-wild.md.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import pytest
from around import around
from published import COMFY_CLI, HERE, NPM, ComfyCli, Missing, NpmClients, Seen, versions

from conformance.exchange.recordings import read_file
from conformance.reference.server import Endpoint, serve
from helpers.commands import plain_pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "clients-in-the-wild.md"
NOW: Final = 1_763_913_600.0
"""Seconds since the epoch: the clock of the endpoint stands, and so does its queue."""
NO_JOB: Final = "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"

# --- what is served ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A queue to be asked for: as it is, and as it is shown. ``broken`` None where it is shown as it is."""

    start: Callable[[], Endpoint]
    broken: Callable[[], Endpoint] | None = None


@dataclass(frozen=True)
class Truth:
    """The jobs that there are: ids in the order of the lists, numbers of pending jobs by id, and the queue itself."""

    ids: tuple[str, ...]
    numbers: Mapping[str, float]
    queue: Any

    @property
    def prompt_id(self) -> str:
        """The job that clients ask for: the first one that waits, else the first."""
        return next(iter(self.numbers or self.ids), NO_JOB)


def _named(variant: str = "default", fault: str | None = None) -> Endpoint:
    return serve(variant, fault, clock=lambda: NOW)


def _fault(name: str, variant: str = "default") -> Served:
    return Served(lambda: _named(variant), lambda: _named(variant, name))


def _recorded(name: str) -> Served:
    (exchange,) = read_file(ROOT / "tests" / "recordings" / f"{name}.http")
    assert exchange.response is not None
    content = exchange.response.content
    return Served(lambda: serve(bodies=repeat(content)))


SERVED: Final = {
    "Comfy Cloud's order": Served(_named),
    "ComfyUI's order": Served(lambda: _named("oss")),
    "ComfyUI's heap, as recorded": _recorded("q_default_20_after_7_dispatched"),
    "an idle queue, without the job": Served(lambda: _named("empty-queue")),
    "items of four elements": _fault("four-elements"),
    "items of two elements": _fault("two-elements"),
    "items that are objects": _fault("items-as-objects"),
    "items that are only ids": _fault("items-as-ids"),
    "no list of running jobs": _fault("no-running-list"),
    "null for the pending jobs": _fault("pending-is-null"),
    "a number that is `NaN`": _fault("oss-number-nan", "oss"),
    "an ErrorResponse with 200": _fault("error-as-200"),
    "an ErrorResponse with 401": Served(_named, lambda: _named("key-enforced")),
    "an ErrorResponse with 500": _fault("always-500"),
}


def _queue(endpoint: Endpoint) -> Any:
    return httpx.get(f"{endpoint.url}/api/queue", trust_env=False).json()


def _truth(served: Served) -> Truth:
    with served.start() as endpoint:
        queue = _queue(endpoint)
    running, pending = queue["queue_running"], queue["queue_pending"]
    return Truth(tuple(job[1] for job in (*running, *pending)), {job[1]: job[0] for job in pending}, queue)


# --- what is made of it, in a phrase ----------------------------------------------------------------------------------

Says = Callable[[Seen, Truth], str]


def hands_on(seen: Seen, truth: Truth) -> str:
    """Say what a client returns that looks into nothing."""
    queue = seen["queue"]
    if "thrown" in queue:
        return f"throws {queue['thrown']}"
    if "code" in queue:
        return "hands the error on as a queue"
    return "hands the queue on" if queue == truth.queue else "hands it on as it is"


def looks_for_a_job(seen: Seen, _truth: Truth) -> str:
    """Say what a client answers that is asked for the status of a job."""
    status = seen["status"]
    if "thrown" in status:
        return f"throws {status['thrown']}"
    (found,) = (name for name, so in status.items() if so)
    return "takes the job for done" if found == "done" else f"finds the job {found}"


def waits_for_a_job(seen: Seen, _truth: Truth) -> str:
    """Say what a client does that looks whether the job it waits for is still there."""
    waiting = seen["waiting"]
    if waiting == "waits on":
        return "waits for the job"
    return "gives the job up as lost" if "gaveUp" in waiting else f"an unhandled {waiting['thrown']} ends the process"


def lists_and_watches(seen: Seen, truth: Truth) -> str:
    """Say what a client lists, where it says that a job stands, and as whom it listens to it."""
    rows = {row["prompt_id"]: row for row in seen["jobs"]}
    found = sum(name in rows for name in truth.ids)
    if found < len(truth.ids):
        return f"lists {found or 'none'} of {len(truth.ids)} jobs"
    by_number = sorted(truth.numbers, key=truth.numbers.__getitem__)
    wrong = sum(rows[name]["queue_position"] != place for place, name in enumerate(by_number, 1))
    if wrong:
        return f"lists all jobs, {wrong} of the {len(by_number)} pending ones at a wrong place"
    attached = seen["watched"]["error"]["details"]["attached"]
    return f"lists all jobs; {'knows each submitter' if attached else 'knows no submitter'}"


SAYS: Final[dict[str, Says]] = {
    "comfy-ui-client": hands_on,
    "@stable-canvas/comfyui-client": looks_for_a_job,
    "@saintno/comfyui-sdk": waits_for_a_job,
    COMFY_CLI: lists_and_watches,
}

# --- measured ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """What a client asked for, and what it made of what was served: phrases by the names in ``SERVED``."""

    asked: tuple[str, ...]
    reads: tuple[int, ...]
    phrases: dict[str, str]


Ask = Callable[[str, str], Seen]
"""Takes a URL and the id of a job."""


@contextmanager
def installed(name: str) -> Iterator[Ask]:
    """Install a client and return how to ask it."""
    with TemporaryDirectory() as directory:
        if name == COMFY_CLI:
            yield ComfyCli(Path(directory)).ask
        else:
            clients = NpmClients(Path(directory))
            yield lambda url, prompt_id: clients.ask(name, url, prompt_id)


def measure(name: str, ask: Ask) -> Measured:
    """Ask a client of everything that is served."""
    asked: dict[str, None] = {}
    phrases = {}
    for what, served in SERVED.items():
        truth = _truth(served)
        with (served.broken or served.start)() as endpoint, around(endpoint.url, truth.prompt_id) as server:
            phrases[what] = SAYS[name](ask(server.url, truth.prompt_id), truth)
        asked |= dict.fromkeys(request.replace(truth.prompt_id, "{id}") for request in server.asked)
    return Measured(tuple(asked), tuple(position for position in range(5) if _reads(position, ask)), phrases)


def _reads(position: int, ask: Ask) -> bool:
    """Whether it makes a difference to a client that one element of every job is null."""
    truth = _truth(SERVED["ComfyUI's order"])
    without = copy.deepcopy(truth.queue)
    for job in (*without["queue_running"], *without["queue_pending"]):
        job[position] = None
    seen = []
    for queue in (truth.queue, without):
        body = json.dumps(queue).encode()
        with serve(bodies=repeat(body)) as endpoint, around(endpoint.url, truth.prompt_id) as server:
            seen.append(_made(ask(server.url, truth.prompt_id)))
    return seen[0] != seen[1]


def _made(seen: Seen) -> Seen:
    """Leave out what a client hands on as it came, and of what it watched all but whether it found whose it is."""
    made = {name: value for name, value in seen.items() if name not in {"queue", "watched"}}
    if "watched" in seen:
        made["attached"] = seen["watched"]["error"]["details"]["attached"]
    return made


# --- the page ---------------------------------------------------------------------------------------------------------

HEAD: Final = """\
# Clients in the wild

<!-- Generated by `python tests/clients/test_clients.py`, and measured again every night (`tox -e clients`). -->

How four published clients from npm and PyPI handle this queue: which requests they send, which elements of a job they
read, and what they do with both orders and with broken queues. They run against the reference endpoint. An element
counts as read if setting it to null changes what the client does.
"""
TAIL: Final = """\
- The order of elements 3 and 4 matters only to comfy-cli. `comfy jobs watch` looks in [3], where ComfyUI has its extra
  data, for the client id of the submitter, because ComfyUI sends events only to the submitter. On Comfy Cloud it reads
  `/api/jobs` instead of this queue, according to its source.
- Every client that reads jobs relies on arrays with the id at [1]. Otherwise it takes the job for done, for lost, or
  for one that never existed.
- The document allows a list to be left out. Of the clients that read the lists, only comfy-cli expects that.
- comfy-cli shows the place in the list as the place in the queue. In ComfyUI's heap these differ.
- `JSON.parse` rejects `NaN`; Python's `json` accepts it.
- Two clients take an error for an empty queue, so that jobs seem done or gone. The others take it for a queue without
  lists.
"""


def page(measured: Mapping[str, Measured]) -> str:
    """Return docs/clients-in-the-wild.md."""
    known = versions()
    names = list(SAYS)
    lines = [HEAD, "| client | version | requests | elements read |", "|---|---|---|---|"]
    for name in names:
        found = measured[name]
        asks = ", ".join(f"`{request}`" for request in found.asked)
        reads = ", ".join(f"[{position}]" for position in found.reads) or "nothing"
        lines.append(f"| {name} | {known[name]} | {asks} | {reads} |")
    lines += ["", f"| what is served | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    lines += [f"| {served} | {' | '.join(measured[name].phrases[served] for name in names)} |" for served in SERVED]
    return "\n".join([*lines, "", TAIL])


def columns(name: str, text: str) -> tuple[list[str], dict[str, str]]:
    """Return what the page says of a client: its row of the first table, its column of the second by row."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    (own,) = (row for row in rows if row[0] == name)
    (heads,) = (row for row in rows if row[0] == "what is served")
    return own[1:], {row[0]: row[heads.index(name)] for row in rows if row[0] in SERVED}


@pytest.mark.clients
@pytest.mark.parametrize("name", SAYS)
def test_a_client_makes_of_each_queue_what_the_page_says(name: str) -> None:
    try:
        with installed(name) as ask:
            measured = measure(name, ask)
    except Missing as missing:
        pytest.fail(str(missing))
    told = columns(name, PAGE.read_text("utf-8"))
    reads = ", ".join(f"[{position}]" for position in measured.reads) or "nothing"
    asks = ", ".join(f"`{request}`" for request in measured.asked)
    assert told == ([versions()[name], asks, reads], measured.phrases), (
        "PYTHONPATH=tests python tests/clients/test_clients.py"
    )


def test_every_client_is_pinned_and_on_the_page_in_that_version() -> None:
    told = PAGE.read_text("utf-8")
    assert set(versions()) == set(SAYS) == {*NPM, COMFY_CLI}
    assert {name: columns(name, told)[0][0] for name in SAYS} == versions()
    assert all(list(columns(name, told)[1]) == list(SERVED) for name in SAYS)


def test_the_lock_file_pins_every_package_and_names_no_registry() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    packages.pop("")
    assert all(package["integrity"] and "resolved" not in package for package in packages.values())


def test_where_npm_is_not_there_the_tests_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"^npm is not on the PATH: install Node\.js"):
        NpmClients(tmp_path)


@pytest.mark.parametrize("wanted", [[], ["-m", "clients"]])
def test_a_usual_run_asks_no_registry(wanted: list[str]) -> None:
    told = plain_pytest(ROOT, "-p", "xdist.plugin", "-n0", "-q", "--collect-only", *wanted, HERE).stdout
    assert told.count("makes_of_each_queue") == (len(SAYS) if wanted else 0)
    assert wanted or f"{len(SAYS)} deselected" in told


if __name__ == "__main__":
    found = {}
    for each in SAYS:
        with installed(each) as asker:
            found[each] = measure(each, asker)
    PAGE.write_text(page(found), encoding="utf-8")

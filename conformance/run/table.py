"""The options of a run: one struct that describes each option once.

The command line, the pytest plugin, ``targets.toml``, the columns of a CSV file, ``load``, ``compare``, ``judge``,
``conformance.check`` and docs/options.md are all made from it (``conformance/run/options.py``). To add an option, add a
field here and use it in ``conformance/run/make.py``; then run ``tox -e docs``.
"""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Struct

from conformance.contract.terms import Dialect
from conformance.probe.limits import Bounds, ServerChanges
from conformance.properties.generation import KEPT_NOWHERE, Properties
from conformance.render.formats import FORMATS
from conformance.run.describing import Group, Opt, Place
from conformance.run.settings import DEFAULT_KEY_ENV, DEFAULT_QUEUE_PATH, DEFAULT_REPORT_DIR

_JUDGE: Final = Place.CHECK | Place.JUDGE
_READS: Final = Place.CHECK | Place.LOAD | Place.BOTH
_LOADS: Final = Place.CHECK | Place.LOAD
_CALLS: Final = Place.CHECK | Place.LIBRARY
_SHOWS: Final = _READS | Place.JUDGE | Place.LIBRARY
_CONNECTS: Final = _READS | Place.LIBRARY | Place.DRIFT
_URL_MORE: Final = (
    "The URL may have a path prefix or an IPv6 host. A loopback address (`127.0.0.1:8188`) needs no scheme. "
    "`embedded` starts the suite's own reference server, and the verdict says so. If the environment variable `CI` is "
    "set, there is no default: give `--target embedded`."
)
_PROPERTIES_MORE: Final = (
    "Generated requests are sent after the fixed plan. Your own `--document` adds one for each parameter value that it "
    "declares, at most 100. Reducing and confirming a failing request takes further ones. Generated requests do not "
    "count towards `--max-requests`, and they are the first to be left out if the time runs out."
)
_BODIES_MORE: Final = "For a target on another machine, also give `--show-workflows`. See [rejudge.md](rejudge.md)."
_LOAD_HOST: Final = "allow load on a host that is not loopback: it is yours, or its owner agreed"
_TEXT = str | Path | None


class Options(Struct, frozen=True, kw_only=True):
    """The options of one run, as the user gave them. They have the same names everywhere."""

    target: Annotated[
        str | None,
        Opt(
            Group.TARGET,
            "base URL of the server, or 'embedded'",
            "URL",
            Place.CHECK,
            "$CONFORMANCE_TARGET, else embedded",
            _URL_MORE,
            own=True,
        ),
    ] = None
    name: Annotated[
        str | None,
        Opt(
            Group.TARGET,
            "name of the target in a history",
            "NAME",
            usual="its URL",
            more="A target in `targets.toml` has its `name`: [history.md](history.md#which-runs-belong-together).",
            own=True,
        ),
    ] = None
    queue_path: Annotated[
        str,
        Opt(Group.TARGET, "path of the queue below the target", "PATH", _LOADS | Place.SIDE | Place.LIBRARY),
    ] = DEFAULT_QUEUE_PATH
    ca_bundle: Annotated[
        _TEXT,
        Opt(Group.TARGET, "certificates (PEM) to trust in addition to the system's", "FILE", _CONNECTS),
    ] = None
    client_cert: Annotated[
        _TEXT,
        Opt(Group.TARGET, "client certificate and key (PEM) that a gateway requires", "FILE", _LOADS | Place.LIBRARY),
    ] = None
    insecure: Annotated[
        bool,
        Opt(Group.TARGET, "do not verify certificates; the report says so", at=_CONNECTS),
    ] = False
    proxy_env: Annotated[
        str | None,
        Opt(
            Group.TARGET,
            "environment variable with the URL of an HTTP proxy",
            "NAME",
            Place.CHECK | Place.DRIFT,
            "no proxy",
            "Other proxy settings in the environment are ignored.",
        ),
    ] = None
    api_key_env: Annotated[
        str | None,
        Opt(
            Group.KEYS,
            "environment variable that contains the key",
            "NAME",
            _LOADS | Place.SIDE,
            DEFAULT_KEY_ENV,
            "A key is never given on the command line.",
            own=True,
        ),
    ] = None
    api_key_file: Annotated[_TEXT, Opt(Group.KEYS, "file that contains only the key", "FILE", _LOADS, own=True)] = None
    no_key: Annotated[bool, Opt(Group.KEYS, "send no key, even if the environment contains one", at=_LOADS)] = False
    allow_plain_http_key: Annotated[
        bool,
        Opt(Group.KEYS, "also send the key over plain http to hosts that are not loopback", at=_READS | Place.LIBRARY),
    ] = False
    header: Annotated[
        tuple[str, ...],
        Opt(
            Group.KEYS,
            "header for a gateway and the environment variable with its value, as Authorization=MY_TOKEN; repeatable",
            "NAME=VARIABLE",
            _LOADS,
            more="Its value is redacted like the key, unless it has fewer than 4 characters.",
            own=True,
        ),
    ] = ()
    dialect: Annotated[
        str,
        Opt(
            Group.CHECKED,
            "required order of the job tuple",
            "cloud|oss|auto",
            _JUDGE | _LOADS | Place.SIDE | Place.LIBRARY,
            more="`cloud` is the order of the document, `oss` ComfyUI's own. `auto` chooses by the type of "
            "element 3, which must be the same in every job: [dialects.md](dialects.md).",
            choices=tuple(dialect.value for dialect in Dialect),
        ),
    ] = Dialect.CLOUD.value
    clause: Annotated[
        tuple[str, ...],
        Opt(
            Group.CHECKED,
            "check only the clauses that match, such as item.* or auth; repeatable",
            "PATTERN",
            _CALLS,
            "all",
            "PATTERN is the id of a clause, an id with `*`, or the first word of several ids. The report of such a run "
            "says that it is partial. All requests are sent as usual.",
        ),
    ] = ()
    deviations: Annotated[
        _TEXT,
        Opt(
            Group.CHECKED,
            "register (TOML) of known deviations, which are waived until they expire",
            "FILE",
            _JUDGE | Place.LIBRARY,
            "none",
            "A stale or expired entry makes the exit status 1: [deviations.md](deviations.md).",
        ),
    ] = None
    fail_on_should: Annotated[
        bool, Opt(Group.CHECKED, "also fail on broken 'should' clauses", at=_JUDGE | Place.LOAD)
    ] = False
    inconclusive_ok: Annotated[
        bool,
        Opt(
            Group.CHECKED,
            "exit with 0 if the only problem is that clauses were not checked",
            at=_JUDGE | Place.LOAD,
            more="If the target was not reached, the exit status is still 10.",
        ),
    ] = False
    wait_for_items: Annotated[
        float,
        Opt(
            Group.CHECKED,
            "poll an idle queue once a second for up to S seconds until it has a job",
            "S",
            _CALLS | Place.BOTH,
            least=0,
        ),
    ] = 0.0
    properties: Annotated[
        int,
        Opt(
            Group.GENERATED,
            "number of requests that Schemathesis generates from the document; 0 for none",
            "N",
            _CALLS,
            more=_PROPERTIES_MORE,
            least=0,
        ),
    ] = Properties().number
    document: Annotated[
        _TEXT,
        Opt(
            Group.CHECKED,
            "your own OpenAPI document (3.0 or 3.1) for the operation",
            "FILE",
            _JUDGE,
            usual="the vendored one",
            more="Its parameters are generated too, and responses are checked against its schemas: "
            "[schemathesis.md](schemathesis.md#your-own-document).",
        ),
    ] = None
    seed: Annotated[
        int | None,
        Opt(
            Group.GENERATED,
            "seed of the generated requests; the same seed gives the same requests",
            "N",
            _CALLS,
            "a new one",
            "The report always shows the seed.",
            least=0,
        ),
    ] = None
    example_database: Annotated[
        str | None,
        Opt(
            Group.GENERATED,
            "store of requests that broke a clause, which the next run sends first: a directory, 'none', or "
            "github:OWNER/REPO",
            "DIR",
            usual=KEPT_NOWHERE,
            more="`github:OWNER/REPO` is the artifact `hypothesis-example-db` of an earlier run there.",
        ),
    ] = None
    populate: Annotated[
        bool,
        Opt(
            Group.WRITES,
            "submit jobs, follow them through the queue and remove them (writes to the server)",
            at=_LOADS,
            more="Implies `--allow-writes`: [populate.md](populate.md).",
            own=True,
        ),
    ] = False
    workflow: Annotated[
        tuple[str, ...],
        Opt(
            Group.WRITES,
            "with --populate: workflow (API format) to submit instead of the built-in ones; repeatable",
            "FILE",
            _LOADS,
        ),
    ] = ()
    jobs: Annotated[
        int | None,
        Opt(
            Group.WRITES,
            "with --populate: number of jobs to submit",
            "N",
            _LOADS,
            str(ServerChanges().jobs),
            least=3,
            because="the run needs one running and two pending jobs",
            load_help="with --populate: maximum number of this run's jobs in the queue at once",
        ),
    ] = None
    job_timeout: Annotated[
        float | None,
        Opt(
            Group.WRITES,
            "with --populate: seconds after which jobs that have not ended are removed",
            "S",
            _LOADS,
            f"{ServerChanges().job_timeout:g}",
            above=0,
        ),
    ] = None
    clear: Annotated[
        bool, Opt(Group.WRITES, "with --populate: also clear the queue, if it contains only jobs of this run", own=True)
    ] = False
    interrupt: Annotated[
        bool,
        Opt(
            Group.WRITES,
            "with --populate: on a host that is not loopback, send an interrupt, which can stop any running job, if "
            "the queue contains only jobs of this run",
            at=_LOADS,
            own=True,
        ),
    ] = False
    allow_writes: Annotated[
        bool,
        Opt(
            Group.WRITES,
            "send requests that write but should change nothing; --populate implies it",
            more="Some are malformed and [can crash a server](populate.md#what-is-sent).",
            own=True,
        ),
    ] = False
    yes: Annotated[
        bool,
        Opt(
            Group.WRITES,
            "write to a host that is not loopback without asking at the terminal",
            at=_LOADS,
            own=True,
            load_help="with --populate: allow writing to a host that is not loopback",
        ),
    ] = False
    report_dir: Annotated[
        str | Path,
        Opt(
            Group.REPORT,
            "directory for index.html, compliance.json, junit.xml and summary.md",
            "DIR",
            _LOADS,
            more="Only these files are replaced, each as a whole.",
        ),
    ] = DEFAULT_REPORT_DIR
    format: Annotated[
        tuple[str, ...],
        Opt(
            Group.REPORT,
            f"additional report: {' or '.join(f'{name} ({each.file})' for name, each in FORMATS.items())}; repeatable",
            "|".join(FORMATS),
            choices=tuple(FORMATS),
        ),
    ] = ()
    history: Annotated[
        _TEXT,
        Opt(
            Group.REPORT,
            "also keep the run in this file (SQLite); the report then shows what changed and when",
            "FILE",
            more="See [history.md](history.md).",
        ),
    ] = None
    redact_workflows: Annotated[
        bool,
        Opt(
            Group.REPORT,
            "redact user input in workflows, on loopback too",
            at=_SHOWS,
            more="Structure, ids and lengths stay visible.",
        ),
    ] = False
    show_workflows: Annotated[
        bool,
        Opt(Group.REPORT, "show user input in workflows, even if the host is not loopback", at=_SHOWS),
    ] = False
    full_bodies: Annotated[
        bool,
        Opt(
            Group.REPORT,
            "keep whole response bodies and workflows in compliance.json, so that `judge` can judge the run again",
            at=_JUDGE,
            more=_BODIES_MORE,
        ),
    ] = False
    deadline: Annotated[
        float | None,
        Opt(
            Group.LIMITS,
            "seconds for the whole run",
            "S",
            _CALLS | Place.BOTH,
            f"{Bounds().deadline:g}, 240 more if the run writes",
            above=0,
        ),
    ] = None
    exchange_timeout: Annotated[
        float,
        Opt(Group.LIMITS, "seconds for one exchange, from first to last byte", "S", _READS, above=0),
    ] = Bounds().exchange_timeout
    connect_timeout: Annotated[float, Opt(Group.LIMITS, "seconds to connect", "S", _READS, above=0)] = (
        Bounds().connect_timeout
    )
    max_body: Annotated[
        int,
        Opt(
            Group.LIMITS, "maximum bytes of one body after decompression", "BYTES", _READS, "67108864 (64 MiB)", above=0
        ),
    ] = Bounds().max_body
    max_requests: Annotated[
        int | None,
        Opt(
            Group.LIMITS,
            "maximum number of requests of the fixed plan",
            "N",
            Place.CHECK | Place.BOTH,
            f"{Bounds().max_requests}, 350 more if the run writes",
            "A default run sends about 45.",
            above=0,
        ),
    ] = None
    rate_limit: Annotated[
        float | None,
        Opt(
            Group.LIMITS,
            "maximum requests per second",
            "N",
            _READS,
            "20; no limit on loopback",
            above=0,
            load_help="maximum requests per second of all users together",
            load_default=200.0,
        ),
    ] = None
    yes_load_this_host: Annotated[bool, Opt(Group.LIMITS, _LOAD_HOST, at=Place.LOAD)] = False

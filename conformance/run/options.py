"""The options of a run, once: the command line and the pytest plugin are both made from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from conformance.contract.terms import Dialect
from conformance.probe.limits import Bounds, Writes
from conformance.properties.model import Properties
from conformance.render.formats import FORMATS
from conformance.run.settings import DEFAULT_QUEUE_PATH, DEFAULT_REPORT_DIR, Settings, make_settings

_BOUNDS: Final = Bounds()
_PROPERTIES: Final = Properties()
_WRITES: Final = Writes()


class Option(NamedTuple):
    """One option. ``metavar`` None makes it a flag; ``default`` None means that ``help`` tells what happens then."""

    flag: str
    help: str
    metavar: str | None = None
    type: type = str
    default: Any = None
    choices: tuple[str, ...] = ()
    multiple: bool = False

    @property
    def name(self) -> str:
        """The parameter of ``make_settings``, or the field of Bounds or Properties, that it sets."""
        return self.flag.removeprefix("--").replace("-", "_")


OPTIONS: Final = (
    Option("--target", "base URL, or 'embedded' [default: $CONFORMANCE_TARGET, else embedded]", "URL"),
    Option("--queue-path", "path of the queue below the target", "PATH", default=DEFAULT_QUEUE_PATH),
    Option(
        "--dialect",
        "the reading of the tuple that is demanded",
        "cloud|oss|auto",
        default=Dialect.CLOUD.value,
        choices=tuple(dialect.value for dialect in Dialect),
    ),
    Option("--api-key-env", "the variable that holds the key [default: COMFY_API_KEY]", "NAME"),
    Option("--api-key-file", "the file that holds the key, and nothing else", "FILE"),
    Option("--no-key", "send no key, whatever the environment holds"),
    Option("--allow-plain-http-key", "send the key over plain http also beyond loopback"),
    Option(
        "--header",
        "a header for a gateway, its value in a variable: Authorization=MY_TOKEN; repeatable",
        "NAME=VARIABLE",
        multiple=True,
    ),
    Option("--ca-bundle", "certificates (PEM) to trust beside the system's", "FILE"),
    Option("--client-cert", "certificate and key (PEM) that a gateway wants of its clients", "FILE"),
    Option("--insecure", "verify no certificate; the report says so"),
    Option("--proxy-env", "the variable that holds the URL of a proxy; no other one is used", "NAME"),
    Option(
        "--redact-workflows", "redact what users wrote into workflows, also on loopback; their structure stays visible"
    ),
    Option("--show-workflows", "show what users wrote into workflows, also where the host is not loopback"),
    Option("--full-bodies", "keep whole bodies in compliance.json, workflows included, so that it can be judged again"),
    Option(
        "--report-dir",
        "where index.html, compliance.json, junit.xml and summary.md go",
        "DIR",
        default=DEFAULT_REPORT_DIR,
    ),
    Option(
        "--deviations",
        "the register (TOML) of known deviations: what it names is waived until it expires [default: none]",
        "FILE",
    ),
    Option(
        "--format",
        "another report beside these: ctrf (ctrf.json) or sarif (results.sarif); repeatable",
        "ctrf|sarif",
        choices=tuple(FORMATS),
        multiple=True,
    ),
    Option("--history", "keep the run in this file (SQLite) too; the report shows what changed, and when", "FILE"),
    Option("--fail-on-should", "a breached 'should' fails too"),
    Option("--inconclusive-ok", "exit 0 also where something could not be exercised"),
    Option("--wait-for-items", "poll an idle queue for up to S seconds until it has a job", "S", float, 0.0),
    Option(
        "--properties",
        "requests that Schemathesis generates from the document, after the fixed plan; 0: none",
        "N",
        int,
        _PROPERTIES.number,
    ),
    Option(
        "--document",
        "your own OpenAPI document (3.0 or 3.1) of the operation: its parameters are generated, and "
        "responses are held against its schemas [default: the vendored one]",
        "FILE",
    ),
    Option("--seed", "seed of the generated requests: the same one sends the same [default: a new one]", "N", int),
    Option(
        "--example-database",
        "where requests that broke a clause are kept, to be sent first the next time: a directory, 'none', or "
        "github:OWNER/REPO "
        f"[default: {_PROPERTIES.example_database}]",
        "DIR",
    ),
    Option("--populate", "submit jobs, follow them through the queue, and remove them: this writes"),
    Option(
        "--workflow",
        "a workflow (API format) to submit instead of the built-in ones, --populate; repeatable",
        "FILE",
        multiple=True,
    ),
    Option("--jobs", f"jobs that are submitted, --populate [default: {_WRITES.jobs}]", "N", int),
    Option(
        "--job-timeout",
        f"seconds until jobs that have not ended are removed, --populate [default: {_WRITES.job_timeout:g}]",
        "S",
        float,
    ),
    Option("--clear", "with --populate: clear the queue as well, where it holds the run's own jobs alone"),
    Option(
        "--interrupt",
        "with --populate: send an interrupt that can stop any job that runs, to a host that is not "
        "loopback and whose jobs are the run's own",
    ),
    Option("--allow-writes", "send requests that write, none of which is to change anything; --populate implies it"),
    Option("--yes", "write to a host that is not loopback without asking at the terminal"),
    Option("--deadline", "seconds for the whole run [default: 120, 240 more to write]", "S", float),
    Option("--exchange-timeout", "seconds for one exchange, first to last byte", "S", float, _BOUNDS.exchange_timeout),
    Option("--connect-timeout", "seconds to connect", "S", float, _BOUNDS.connect_timeout),
    Option("--max-body", "bytes of one body after decompression", "BYTES", int, _BOUNDS.max_body),
    Option("--max-requests", "requests in a run of the fixed plan [default: 50, 350 more to write]", "N", int),
    Option("--rate-limit", "requests per second [default: 20; to loopback no limit]", "N", float),
)


def settings_from(environ: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    """Make settings from the values of the options, by name. Raises UsageProblem."""
    values = {name: value for name, value in given.items() if value is not None}
    bounds = {field.name: values.pop(field.name) for field in fields(Bounds) if field.name in values}
    return make_settings(environ, bounds=bounds, **values)

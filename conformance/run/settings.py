"""What a run is to do: the options that the command line and pytest share, checked before anything is sent."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.contract.terms import Dialect
from conformance.exchange.hosts import is_loopback
from conformance.exchange.secrets import SHORTEST_KEY, Secret
from conformance.judge.judging import WHOLE_AND_HIDDEN, Judging
from conformance.probe.limits import METHOD_OVERRIDES, Bounds, Gateway, Writes
from conformance.problems import UsageProblem
from conformance.properties.model import Properties
from conformance.render.formats import FORMATS
from conformance.run.writes import writes_from

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register
    from conformance.probe.requests import Required
    from conformance.spec.operation import Described
    from conformance.spec.schemas import Schemas


EMBEDDED: Final = "embedded"
DEFAULT_KEY_ENV: Final = "COMFY_API_KEY"
DEFAULT_REPORT_DIR: Final = "reports/latest"
DEFAULT_QUEUE_PATH: Final = "/api/queue"
LONGEST_KEY: Final = 64 << 10
"""Bytes of a file that is read for a key."""
_OURS: Final = METHOD_OVERRIDES | {
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "user-agent",
    "x-api-key",
    "x-request-id",
    "origin",
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "expect",
    "te",
    "upgrade",
}
"""Header fields that the plan sets, that framing needs, or that nobody is to set."""
_FIELD_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""The name of a header field (RFC 9110 §5.6.2)."""


MORE_WITH_JOBS: Final = {"max_requests": 350, "deadline": 240.0}
"""What is added to the bounds where jobs are submitted, followed and removed."""
REMOTE_RATE: Final = 20.0
"""Requests per second to a host that is not loopback, where nobody said otherwise."""


@dataclass(frozen=True)
class Settings:
    """One run, as asked for. ``target`` is the base URL, None the embedded endpoint, which brings its own key."""

    target: str | None = None
    scheme_added: bool = False
    """Whether the target was typed without its scheme."""
    queue_path: str = DEFAULT_QUEUE_PATH
    dialect: Dialect = Dialect.CLOUD
    key: Secret | None = None
    key_source: str | None = None
    """Where the key came from: the name of a variable, or of a file."""
    no_key: bool = False
    gateway: Gateway = field(default_factory=Gateway)
    redact_workflows: bool = False
    show_workflows: bool = False
    full_bodies: bool = False
    report_dir: Path = Path(DEFAULT_REPORT_DIR)
    deviations: Register | None = None
    formats: tuple[str, ...] = ()
    history: Path | None = None
    fail_on_should: bool = False
    inconclusive_ok: bool = False
    wait_for_items: float = 0.0
    properties: Properties | None = None
    document: Described | None = None
    """The user's own document; None for the vendored one."""
    writes: Writes | None = None
    """What the user gave leave to write; None where a run only reads."""
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def hides_workflows(self) -> bool:
        """Whether what users wrote into workflows is redacted in all that is written: off loopback unless shown."""
        remote = self.target is not None and not is_loopback(self.target)
        return self.redact_workflows or (remote and not self.show_workflows)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that nobody may see."""
        return (*(() if self.key is None else (self.key,)), *self.gateway.secrets)

    @cached_property
    def schemas(self) -> Schemas | None:
        """The response schemas of the user's own document."""
        if self.document is None:
            return None
        from conformance.spec.schemas import Schemas

        return Schemas(self.document)

    @cached_property
    def required(self) -> Required:
        """What the user's own document requires of every read."""
        from conformance.probe.requests import Required

        if self.document is None:
            return Required()
        from conformance.properties.required import required_by

        return required_by(self.document, self.gateway.names)

    @property
    def described(self) -> Described:
        """The document that requests are generated from."""
        if self.document is not None:
            return self.document
        from conformance.spec.operation import shipped

        return shipped()

    @property
    def judging(self) -> Judging:
        """How the answers of the run are judged."""
        return Judging(
            dialect=self.dialect,
            hide_workflows=self.hides_workflows,
            show_workflows=self.show_workflows,
            full_bodies=self.full_bodies,
            register=self.deviations,
            schemas=self.schemas,
            options=self.options(),
        )

    def options(self) -> dict[str, str | int | float | bool | None]:
        """Return what the report shows of them: everything but the key."""
        gateway = self.gateway
        return {
            "queue_path": self.queue_path,
            "dialect": self.dialect.value,
            "key": self.key_source,
            "header": ", ".join(gateway.header_sources) or None,
            "proxy": gateway.proxy is not None,
            "ca_bundle": None if gateway.ca_bundle is None else str(gateway.ca_bundle),
            "client_cert": None if gateway.client_cert is None else str(gateway.client_cert),
            "insecure": gateway.insecure,
            "redact_workflows": self.hides_workflows,
            "show_workflows": self.show_workflows,
            "full_bodies": self.full_bodies,
            "deviations": None if self.deviations is None else self.deviations.file,
            "fail_on_should": self.fail_on_should,
            "inconclusive_ok": self.inconclusive_ok,
            "wait_for_items": self.wait_for_items,
            "document": None if self.document is None else self.document.name,
            "properties": 0 if self.properties is None else self.properties.number,
            **(
                {}
                if self.properties is None
                else {"seed": self.properties.seed, "example_database": self.properties.example_database}
            ),
            **(self.writes.options() if self.writes is not None else {}),
            **asdict(self.bounds),
        }


def make_settings(  # noqa: PLR0913 - one parameter for each option
    environ: Mapping[str, str],
    *,
    target: str | None = None,
    queue_path: str = DEFAULT_QUEUE_PATH,
    dialect: str = Dialect.CLOUD,
    api_key_env: str | None = None,
    api_key_file: str | Path | None = None,
    no_key: bool = False,
    allow_plain_http_key: bool = False,
    header: Sequence[str] = (),
    ca_bundle: str | Path | None = None,
    client_cert: str | Path | None = None,
    insecure: bool = False,
    proxy_env: str | None = None,
    redact_workflows: bool = False,
    show_workflows: bool = False,
    full_bodies: bool = False,
    report_dir: str | Path = DEFAULT_REPORT_DIR,
    deviations: str | Path | None = None,
    format: Sequence[str] = (),  # noqa: A002 - as the option is called
    history: str | Path | None = None,
    fail_on_should: bool = False,
    inconclusive_ok: bool = False,
    wait_for_items: float = 0.0,
    properties: int = 0,
    document: str | Path | None = None,
    seed: int | None = None,
    example_database: str | None = None,
    populate: bool = False,
    allow_writes: bool = False,
    workflow: Sequence[str | Path] = (),
    jobs: int | None = None,
    job_timeout: float | None = None,
    clear: bool = False,
    interrupt: bool = False,
    yes: bool = False,
    bounds: Mapping[str, float] = MappingProxyType({}),
) -> Settings:
    """Check what was typed against the environment. ``bounds`` are those that differ from the usual, by name.

    Raises UsageProblem.
    """
    url, scheme_added = _target(target, environ)
    writes = writes_from(
        populate=populate,
        allow_writes=allow_writes,
        workflow=workflow,
        jobs=jobs,
        job_timeout=job_timeout,
        clear=clear,
        interrupt=interrupt,
        yes=yes,
    )
    asked = {"seed": seed, "example_database": example_database}
    search = _properties(properties, {name: value for name, value in asked.items() if value is not None})
    if not 0 <= wait_for_items < math.inf:
        msg = f"--wait-for-items must be 0 or more seconds, not {wait_for_items}"
        raise UsageProblem(msg)
    if not queue_path.startswith("/") or any(c in queue_path for c in "?# ") or not queue_path.isprintable():
        msg = f"--queue-path must be a path that starts with /, such as /api/queue, not {queue_path!r}"
        raise UsageProblem(msg)
    if url is not None and url.rstrip("/").endswith(queue_path):
        msg = f"the target is the base URL without {queue_path}: give {url.rstrip('/').removesuffix(queue_path)}"
        raise UsageProblem(msg)
    _check_shown(url, redact=redact_workflows, show=show_workflows, whole=full_bodies)
    if dialect not in set(Dialect):
        msg = f"--dialect must be cloud, oss or auto, not {dialect!r}"
        raise UsageProblem(msg)
    for name in format:
        if name not in FORMATS:
            msg = f"--format must be {' or '.join(FORMATS)}, not {name!r}: the other reports are always written"
            raise UsageProblem(msg)
    if history is not None and not str(history).strip():
        msg = "--history is empty: name a file"
        raise UsageProblem(msg)
    key, source = _key(environ, api_key_env, api_key_file, no_key=no_key) if url is not None else (None, None)
    headers = [_header(given, environ) for given in header]
    if url is not None and (key is not None or headers) and not allow_plain_http_key:
        _keep_off_plain_http(url, source or headers[0][2])
    return Settings(
        target=url,
        scheme_added=scheme_added,
        queue_path=queue_path,
        dialect=Dialect(dialect),
        key=key,
        key_source=source,
        no_key=no_key,
        gateway=Gateway(
            headers=tuple((name, value) for name, value, _ in headers),
            header_sources=tuple(source for *_, source in headers),
            ca_bundle=_readable(ca_bundle, "--ca-bundle"),
            client_cert=_readable(client_cert, "--client-cert"),
            insecure=insecure,
            proxy=_proxy(proxy_env, environ),
        ),
        redact_workflows=redact_workflows,
        show_workflows=show_workflows,
        full_bodies=full_bodies,
        report_dir=Path(report_dir),
        deviations=_register(deviations),
        formats=tuple(dict.fromkeys(format)),
        history=None if history is None else Path(history),
        fail_on_should=fail_on_should,
        inconclusive_ok=inconclusive_ok,
        wait_for_items=wait_for_items,
        properties=search,
        document=_document(document, queue_path),
        writes=writes,
        bounds=_bounds(bounds, url, writing=writes is not None),
    )


def _check_shown(url: str | None, *, redact: bool, show: bool, whole: bool) -> None:
    """Check what is to be shown of workflows. Raises UsageProblem."""
    if whole and redact:
        msg = "--full-bodies and --redact-workflows contradict each other: whole bodies show workflows"
        raise UsageProblem(msg)
    if show and redact:
        msg = "--show-workflows and --redact-workflows contradict each other: give one of them"
        raise UsageProblem(msg)
    if whole and not show and url is not None and not is_loopback(url):
        raise UsageProblem(WHOLE_AND_HIDDEN)


def _document(file: str | Path | None, queue_path: str) -> Described | None:
    if file is None:
        return None
    from conformance.spec.user import read_described

    return read_described(file, queue_path)


def _register(file: str | Path | None) -> Register | None:
    if file is None:
        return None
    from conformance.judge.deviations.register import read_register

    return read_register(file)


def _bounds(given: Mapping[str, float], url: str | None, *, writing: bool) -> Bounds:
    for name, value in given.items():
        if not 0 < value < math.inf:
            msg = f"--{name.replace('_', '-')} must be a number above 0, not {value}"
            raise UsageProblem(msg)
    usual: dict[str, Any] = {}
    if writing:
        usual = {name: getattr(Bounds, name) + more for name, more in MORE_WITH_JOBS.items()}
    if url is not None and not is_loopback(url):
        usual["rate_limit"] = REMOTE_RATE
    return Bounds(**{**usual, **given})


def _properties(number: int, asked: dict[str, Any]) -> Properties | None:
    if number < 0:
        msg = f"--properties must be 0 or more, not {number}"
        raise UsageProblem(msg)
    if number == 0:
        if asked:
            msg = f"--{next(iter(asked)).replace('_', '-')} is for generated requests, and --properties 0 sends none"
            raise UsageProblem(msg)
        return None
    found = Properties(**{"number": number, "seed": int.from_bytes(os.urandom(4)), **asked})
    if found.seed < 0:
        msg = f"--seed must be 0 or more, not {found.seed}"
        raise UsageProblem(msg)
    remote = found.example_database.removeprefix("github:")
    if remote != found.example_database and not re.fullmatch(r"[\w.-]+/[\w.-]+", remote, re.ASCII):
        msg = f"--example-database names no repository: give github:OWNER/REPO, not {found.example_database!r}"
        raise UsageProblem(msg)
    if not found.example_database:
        msg = "--example-database is empty: give a directory, github:OWNER/REPO, or none"
        raise UsageProblem(msg)
    return found


def _target(given: str | None, environ: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the target, None for the embedded endpoint, and whether a scheme was added to it."""
    value = given if given is not None else environ.get("CONFORMANCE_TARGET")
    if value is None:
        if environ.get("CI"):
            msg = "no target: CI is set, so the embedded endpoint must be named (--target embedded), or a URL given"
            raise UsageProblem(msg)
        return None, False
    if not value.strip():
        where = "--target" if given is not None else "CONFORMANCE_TARGET"
        msg = f"{where} is set but empty: give a URL such as http://127.0.0.1:8188, or embedded"
        raise UsageProblem(msg)
    if value == EMBEDDED:
        return None, False
    whole = _with_scheme(value.strip())
    return checked_url(whole), whole != value.strip()


def _with_scheme(value: str) -> str:
    """Return an address of loopback as a URL: what is typed without a scheme there means plain http."""
    url = f"http://{value}"
    try:
        return url if "://" not in value and is_loopback(url) else value
    except ValueError:
        return value


def checked_url(value: str) -> str:
    """Return a base URL without the slash at its end. Raises UsageProblem where it is none, or holds more."""
    shown = value if value.isprintable() and not set("@?#") & set(value) else "the target"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        msg = f"{shown} is no URL ({error}): give one such as http://127.0.0.1:8188"
        raise UsageProblem(msg) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        guess = value if shown == value and "://" not in value and not value.startswith("/") else "127.0.0.1:8188"
        msg = f"{shown} is no http or https URL: give one such as http://{guess}"
        raise UsageProblem(msg)
    if parts.username is not None or parts.password is not None:
        msg = "the target holds a user name or password: take it out of the URL, it would stand in reports"
        raise UsageProblem(msg)
    if parts.query or parts.fragment or not value.isprintable() or " " in value:
        msg = f"{shown} holds more than a base URL: give scheme, host, port and path alone"
        raise UsageProblem(msg)
    return value.rstrip("/")


def _key(
    environ: Mapping[str, str], named: str | None, file: str | Path | None, *, no_key: bool
) -> tuple[Secret | None, str | None]:
    given = [flag for flag, value in (("--api-key-env", named), ("--api-key-file", file)) if value is not None]
    if len(given) + no_key > 1:
        msg = f"{' and '.join([*(['--no-key'] if no_key else []), *given])} contradict each other: give one of them"
        raise UsageProblem(msg)
    if no_key:
        return None, None
    if file is not None:
        return _secret(_content(file), f"the key in {file}", SHORTEST_KEY), str(file)
    name = DEFAULT_KEY_ENV if named is None else named
    value = environ.get(name, "")
    if not value:
        if named is not None:
            msg = f"--api-key-env names {_variable(name)}, which is not set: export it, or say --no-key"
            raise UsageProblem(msg)
        return None, None
    return _secret(value, f"the key in {name}", SHORTEST_KEY), name


def _content(file: str | Path) -> str:
    """Return what a file of a key holds, but for the line's end."""
    try:
        return Path(file).read_bytes()[:LONGEST_KEY].decode("latin-1").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        msg = f"--api-key-file {file} cannot be read ({error.strerror}): give a file that holds the key alone"
        raise UsageProblem(msg) from None


def _secret(value: str, where: str, shortest: int, *, spaces: str = "") -> Secret:
    inner = value.replace(spaces, "") if spaces and value == value.strip() else value
    if not value.isascii() or not value.isprintable() or " " in inner:
        msg = f"{where} holds spaces, line breaks or characters that no header may carry: set it again"
        raise UsageProblem(msg)
    if len(value) < shortest:
        msg = f"{where} is shorter than {shortest} characters: that is no key"
        raise UsageProblem(msg)
    return Secret(value)


def _header(given: str, environ: Mapping[str, str]) -> tuple[str, Secret, str]:
    """Return name, value and source of a header that a gateway wants."""
    as_sent = re.match(rf"({_FIELD_NAME}):", given)
    if as_sent is not None:
        name = as_sent[1]
        msg = f"--header wants NAME=VARIABLE, not NAME: VALUE: put the value into a variable, and give {name}=VARIABLE"
        raise UsageProblem(msg)
    name, separator, variable = given.partition("=")
    if not separator or not re.fullmatch(_FIELD_NAME, name) or not variable:
        shown = name if separator else "that"
        msg = f"--header wants NAME=VARIABLE, such as Authorization=MY_TOKEN, not {shown!r}: a value is no argument"
        raise UsageProblem(msg)
    if name.lower() in _OURS:
        msg = f"--header {name} is the suite's own: it cannot be given"
        raise UsageProblem(msg)
    value = environ.get(variable, "")
    if not value:
        msg = f"--header {name} names {_variable(variable)}, which is not set: export it"
        raise UsageProblem(msg)
    return (name, _secret(value, f"the value of {name} in {variable}", 1, spaces=" "), f"{name}={variable}")


def _proxy(named: str | None, environ: Mapping[str, str]) -> Secret | None:
    if named is None:
        return None
    value = environ.get(named, "")
    try:
        parts = urlsplit(value)
        proxy = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        proxy = False
    if not proxy or not value.isascii() or not value.isprintable() or " " in value:
        shown = _variable(named)
        msg = f"--proxy-env names {shown}, which holds no http or https URL: set it to one like http://127.0.0.1:3128"
        raise UsageProblem(msg)
    return Secret(value)


def _variable(name: str) -> str:
    """Return the name of a variable to be shown: what looks like none may be the secret itself, typed in its place."""
    return name if re.fullmatch("[A-Z_][A-Z0-9_]*", name) else "a variable" if name else "nothing"


def _readable(file: str | Path | None, flag: str) -> Path | None:
    """Return the path of a PEM file, having looked that it can be read and is one."""
    if file is None:
        return None
    try:
        pem = b"-----BEGIN " in Path(file).read_bytes()
    except OSError as error:
        msg = f"{flag} {file} cannot be read ({error.strerror})"
        raise UsageProblem(msg) from None
    if not pem:
        msg = f"{flag} {file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        raise UsageProblem(msg)
    return Path(file)


def _keep_off_plain_http(url: str, source: str) -> None:
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        msg = f"the key in {source} would go over plain http: use https, or --no-key, or --allow-plain-http-key"
        raise UsageProblem(msg)

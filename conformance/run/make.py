"""Turn the options of a run into ``Settings``. Every option is checked before anything is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from conformance.contract.terms import Dialect
from conformance.exchange.hosts import is_loopback
from conformance.judge.judging import WHOLE_AND_HIDDEN
from conformance.probe.limits import Bounds, Gateway
from conformance.problems import UsageProblem
from conformance.properties.generation import Properties
from conformance.run.address import target_from
from conformance.run.secrets_given import header_from, keep_off_plain_http, key_from, proxy_from, readable
from conformance.run.server_changes import server_changes_from
from conformance.run.settings import LONGEST_NAME, Settings
from conformance.run.table import Options

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register
    from conformance.spec.operation import Described

MORE_WITH_JOBS: Final = {"max_requests": 350, "deadline": 240.0}
"""How much larger the limits of a run are if it submits, follows and removes jobs."""
REMOTE_RATE: Final = 20.0
"""The default limit of requests per second to a host that is not loopback."""


def make_settings(environ: Mapping[str, str], options: Options) -> Settings:
    """Return the settings of a run. Checks its options against each other and the environment; raises UsageProblem."""
    url, scheme_added = target_from(options.target, environ)
    _check_name(options.name)
    _check_path(options.queue_path, url)
    _check_shown(url, redact=options.redact_workflows, show=options.show_workflows, whole=options.full_bodies)
    if options.history is not None and not str(options.history).strip():
        raise UsageProblem("--history is empty: name a file")
    key, source = None, None
    if url is not None:
        key, source = key_from(environ, options.api_key_env, options.api_key_file, no_key=options.no_key)
    headers = [header_from(given, environ) for given in options.header]
    if url is not None and (key is not None or headers) and not options.allow_plain_http_key:
        keep_off_plain_http(url, source or headers[0][2])
    gateway = Gateway(
        headers=tuple((name, value) for name, value, _ in headers),
        header_sources=tuple(source for *_, source in headers),
        ca_bundle=readable(options.ca_bundle, "--ca-bundle"),
        client_cert=readable(options.client_cert, "--client-cert"),
        insecure=options.insecure,
        proxy=proxy_from(options.proxy_env, environ),
    )
    document = _document(options.document, options.queue_path)
    return Settings(
        target=url,
        name=options.name,
        scheme_added=scheme_added,
        queue_path=options.queue_path,
        dialect=Dialect(options.dialect),
        clause=tuple(options.clause),
        only=selected_clauses(options.clause),
        key=key,
        key_source=source,
        no_key=options.no_key,
        gateway=gateway,
        redact_workflows=options.redact_workflows,
        show_workflows=options.show_workflows,
        full_bodies=options.full_bodies,
        report_dir=Path(options.report_dir),
        deviations=_register(options.deviations),
        formats=tuple(dict.fromkeys(options.format)),
        history=None if options.history is None else Path(options.history),
        fail_on_should=options.fail_on_should,
        inconclusive_ok=options.inconclusive_ok,
        wait_for_items=options.wait_for_items,
        properties=_properties(options, document, gateway),
        document=document,
        server_changes=server_changes_from(options),
        bounds=_bounds(options, url),
    )


def _check_name(name: str | None) -> None:
    if name is not None and not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise UsageProblem(f"--name must be 1 to {LONGEST_NAME} printable characters, such as prod")


def _check_path(queue_path: str, url: str | None) -> None:
    if not queue_path.startswith("/") or any(c in queue_path for c in "?# ") or not queue_path.isprintable():
        raise UsageProblem(f"--queue-path must be a path that starts with /, such as /api/queue, not {queue_path!r}")
    if url is not None and url.rstrip("/").endswith(queue_path):
        msg = f"the target is the base URL without {queue_path}: give {url.rstrip('/').removesuffix(queue_path)}"
        raise UsageProblem(msg)


def selected_clauses(patterns: Sequence[str]) -> frozenset[str] | None:
    """Return the ids of the clauses that ``--clause`` selects, or None for all. Raises UsageProblem."""
    if not patterns:
        return None
    from conformance.contract.catalogue import BY_ID, matching
    from conformance.text.suggest import did_you_mean

    found: set[str] = set()
    for pattern in patterns:
        chosen = matching(pattern)
        if not chosen:
            known = [*BY_ID, *dict.fromkeys(clause.subject for clause in BY_ID.values())]
            near = did_you_mean(pattern, known) or ": `comfy-conformance clauses` lists all"
            raise UsageProblem(f"--clause {pattern!r} matches no clause{near}")
        found.update(clause.id for clause in chosen)
    return frozenset(found)


def _check_shown(url: str | None, *, redact: bool, show: bool, whole: bool) -> None:
    """Check the options that show or hide workflows. Raises UsageProblem."""
    if whole and redact:
        raise UsageProblem("--full-bodies and --redact-workflows contradict each other: whole bodies show workflows")
    if show and redact:
        raise UsageProblem("--show-workflows and --redact-workflows contradict each other: give one of them")
    if whole and not show and url is not None and not is_loopback(url):
        raise UsageProblem(WHOLE_AND_HIDDEN)


def _document(file: str | Path | None, queue_path: str) -> Described | None:
    if file is None:
        return None
    from conformance.spec.own_document import read_described

    return read_described(file, queue_path)


def _register(file: str | Path | None) -> Register | None:
    if file is None:
        return None
    from conformance.judge.deviations.register import read_register

    return read_register(file)


def _bounds(options: Options, url: str | None) -> Bounds:
    usual = structs.asdict(Bounds())
    if options.populate or options.allow_writes:
        usual |= {name: usual[name] + more for name, more in MORE_WITH_JOBS.items()}
    if url is not None and not is_loopback(url):
        usual["rate_limit"] = REMOTE_RATE
    given = {name: getattr(options, name) for name in usual}
    return Bounds(**{**usual, **{name: value for name, value in given.items() if value is not None}})


def _properties(options: Options, document: Described | None, gateway: Gateway) -> Properties | None:
    given: dict[str, Any] = {
        name: getattr(options, name) for name in ("seed", "example_database") if getattr(options, name) is not None
    }
    if options.properties == 0:
        if given:
            msg = f"--{next(iter(given)).replace('_', '-')} needs generated requests: leave out --properties 0"
            raise UsageProblem(msg)
        return None
    found = Properties(**{"number": options.properties, "seed": int.from_bytes(os.urandom(4)), **given})
    remote = found.example_database.removeprefix("github:")
    if remote != found.example_database and not re.fullmatch(r"[\w.-]+/[\w.-]+", remote, re.ASCII):
        raise UsageProblem(f"--example-database must be github:OWNER/REPO, not {found.example_database!r}")
    if not found.example_database:
        raise UsageProblem("--example-database is empty: give a directory, github:OWNER/REPO, or none")
    if document is None:
        return found
    from conformance.properties.required import declared_values

    return structs.replace(found, declared=declared_values(document, gateway.names))

"""``conformance.check``: ask a server, judge what it answers, and return the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.contract.terms import Dialect
from conformance.properties.model import Properties

if TYPE_CHECKING:
    from conformance.judge.report import Report


def check(  # noqa: PLR0913 - one parameter for each thing that may be chosen
    url: str,
    *,
    api_key: str | None = None,
    dialect: Dialect | str = Dialect.CLOUD,
    queue_path: str = "/api/queue",
    headers: Mapping[str, str] = MappingProxyType({}),
    allow_plain_http_key: bool = False,
    ca_bundle: str | Path | None = None,
    client_cert: str | Path | None = None,
    insecure: bool = False,
    redact_workflows: bool = False,
    show_workflows: bool = False,
    wait_for_items: float = 0.0,
    properties: int = Properties.number,
    seed: int | None = None,
    deadline: float = 120.0,
) -> Report:
    """Ask a server as ``comfy-conformance check`` does, and return the report. Nothing is written.

    ``url`` is the base URL, such as ``http://127.0.0.1:8188``, or ``embedded`` for the reference endpoint; the
    parameters are the options of that command (README has the table), ``headers`` those that a gateway wants. The
    environment is not looked at. ``report.verdict`` is the verdict, ``report.clauses`` holds the result of each clause.
    ``properties`` is the number of generated requests that follow the fixed plan of some forty-five, 0 for none.
    ``deadline`` and ``wait_for_items`` are in seconds. May be called where an event loop runs; it blocks all the same.

    Raises ``conformance.UsageProblem`` for what cannot be run, in one line that says what to do.
    """
    from conformance.run.ask import check as ask_and_judge
    from conformance.run.settings import make_settings

    environ = {f"headers[{name!r}]": value for name, value in headers.items()}
    if api_key is not None:
        environ["api_key"] = api_key
    settings = make_settings(
        environ,
        target=url,
        api_key_env=None if api_key is None else "api_key",
        no_key=api_key is None,
        header=[f"{name}=headers[{name!r}]" for name in headers],
        dialect=dialect,
        queue_path=queue_path,
        allow_plain_http_key=allow_plain_http_key,
        ca_bundle=ca_bundle,
        client_cert=client_cert,
        insecure=insecure,
        redact_workflows=redact_workflows,
        show_workflows=show_workflows,
        wait_for_items=wait_for_items,
        properties=properties,
        seed=seed,
        bounds={"deadline": deadline},
    )
    return ask_and_judge(settings)

"""``conformance.check``: check a server and return the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Unpack

if TYPE_CHECKING:
    from conformance.judge.report import Report
    from conformance.run.check_options import CheckOptions

OWN: Final = ("api_key", "headers")
"""Parameters of ``conformance.check`` that are not options in ``run/table.py``."""


def check(
    url: str,
    *,
    api_key: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a server as ``comfy-conformance check`` does, and return the report. Nothing is written.

    ``url`` is the base URL, such as ``http://127.0.0.1:8188``, or ``embedded`` for the reference endpoint. ``headers``
    are sent with each request, for example because a gateway requires them. ``options`` are options of
    ``comfy-conformance check`` (docs/options.md), such as ``dialect``, ``queue_path``, ``deviations``,
    ``wait_for_items``, ``properties``, ``seed`` and ``deadline``. The environment is not read. ``report.verdict`` is
    the verdict, and ``report.clauses`` holds the result of each clause. ``check`` can be called while an event loop
    runs, but it blocks the loop until the run is over.

    Raises ``conformance.UsageProblem`` if the run is not possible; the message says in one line what to do. Raises
    TypeError for an unknown option.
    """
    from conformance.properties.generation import Properties
    from conformance.run.one_run import check as ask_and_judge
    from conformance.run.options import settings_from

    demand_options(options)
    environ = {f"headers[{name!r}]": value for name, value in headers.items()}
    if api_key is not None:
        environ["api_key"] = api_key
    given = {
        "target": url,
        "api_key_env": None if api_key is None else "api_key",
        "no_key": api_key is None,
        "header": [f"{name}=headers[{name!r}]" for name in headers],
        "properties": Properties().number,
    }
    return ask_and_judge(settings_from(environ, {**given, **options}))


def demand_options(names: Iterable[str], function: str = "check", own: Iterable[str] = ()) -> None:
    """Raise TypeError for a name that is neither an option of ``conformance.check`` nor in ``own``.

    The message contains ``function``, the name of the called function, and suggests the nearest option.
    """
    from conformance.run.describing import Place
    from conformance.run.options import at
    from conformance.text.suggest import did_you_mean

    known = [*OWN, *own, *(option.name for option in at(Place.LIBRARY))]
    for name in names:
        if name not in known:
            raise TypeError(f"{function}() has no option {name!r}{did_you_mean(name, known)}")

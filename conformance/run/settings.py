"""The settings of a run: the user's options after all checks. ``make.py`` creates them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field, structs

from conformance.contract.terms import Dialect
from conformance.exchange.hosts import is_loopback
from conformance.exchange.secrets import Secret
from conformance.judge.judging import Judging
from conformance.probe.limits import Bounds, Gateway, ServerChanges
from conformance.properties.generation import Properties

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register
    from conformance.probe.requests import Required
    from conformance.spec.operation import Described
    from conformance.spec.schemas import Schemas

EMBEDDED: Final = "embedded"
DEFAULT_KEY_ENV: Final = "COMFY_API_KEY"
DEFAULT_REPORT_DIR: Final = "reports/latest"
LONGEST_NAME: Final = 200
DEFAULT_QUEUE_PATH: Final = "/api/queue"


class Settings(Struct, frozen=True, dict=True):
    """The settings of one run. ``target`` is the base URL, or None for the embedded endpoint, which has its own key."""

    target: str | None = None
    name: str | None = None
    scheme_added: bool = False
    """Whether the target was given without a scheme."""
    queue_path: str = DEFAULT_QUEUE_PATH
    dialect: Dialect = Dialect.CLOUD
    clause: tuple[str, ...] = ()
    """The patterns of ``--clause``."""
    only: frozenset[str] | None = None
    """The ids of the clauses that the patterns select; None for all."""
    key: Secret | None = None
    key_source: str | None = None
    """The source of the key: the name of a variable or of a file."""
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
    server_changes: ServerChanges | None = None
    """Which changes on the server are allowed; None if the run only reads."""
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def hides_workflows(self) -> bool:
        """Whether the reports hide what users wrote into workflows.

        The default is to hide it unless the target is loopback.
        """
        remote = self.target is not None and not is_loopback(self.target)
        return self.redact_workflows or (remote and not self.show_workflows)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All values that must never be shown."""
        return (*(() if self.key is None else (self.key,)), *self.gateway.secrets)

    @cached_property
    def schemas(self) -> Schemas | None:
        """The response schemas of the user's own OpenAPI document; None without one."""
        if self.document is None:
            return None
        from conformance.spec.schemas import Schemas

        return Schemas(self.document)

    @cached_property
    def required(self) -> Required:
        """The parameters that the user's own OpenAPI document requires in every GET request of the queue."""
        from conformance.probe.requests import Required

        if self.document is None:
            return Required()
        from conformance.properties.required import required_by

        return required_by(self.document, self.gateway.names)

    @property
    def described(self) -> Described:
        """The OpenAPI document that requests are generated from."""
        if self.document is not None:
            return self.document
        from conformance.spec.operation import vendored

        return vendored()

    @property
    def judging(self) -> Judging:
        """The settings that decide how the responses are judged."""
        return Judging(
            dialect=self.dialect,
            only=self.only,
            selected=" ".join(f"--clause '{pattern}'" for pattern in self.clause) or None,
            hide_workflows=self.hides_workflows,
            show_workflows=self.show_workflows,
            full_bodies=self.full_bodies,
            register=self.deviations,
            schemas=self.schemas,
            options=self.options(),
        )

    def options(self) -> dict[str, str | int | float | bool | None]:
        """Return the options for the report: all except secrets."""
        gateway = self.gateway
        return {
            **({} if self.name is None else {"name": self.name}),
            "queue_path": self.queue_path,
            "dialect": self.dialect.value,
            **({"clause": ", ".join(self.clause)} if self.clause else {}),
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
            **(self.server_changes.options() if self.server_changes is not None else {}),
            **structs.asdict(self.bounds),
        }

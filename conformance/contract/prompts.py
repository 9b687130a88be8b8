"""The prompts that a run submitted, by the bodies of its requests and of their responses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from conformance.exchange.model import Exchange, Operation


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, or an empty dict if the body is something else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def submitted_twice(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return the prompt ids, in lower case, that the run submitted a second time and that the server accepted again."""
    found: set[str] = set()
    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        if request.operation is Operation.SUBMIT and response is not None and response.status == 200:
            named, assigned = (json_object(body).get("prompt_id") for body in (request.body, response.content))
            if isinstance(named, str) and isinstance(assigned, str) and named.lower() == assigned.lower():
                found.add(named.lower())
    return frozenset(found)

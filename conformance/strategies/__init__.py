"""Hypothesis strategies for responses of ``GET /api/queue``: test data for client authors, and for this suite.

All values conform to the contract, to every ``must`` and every ``should``, and cover the edge cases that it allows.
Example::

    from hypothesis import given
    from conformance.strategies import bodies

    @given(bodies())
    def test_my_client_reads_any_queue(body: bytes) -> None:
        my_client.parse(body)

``dialect`` is the order of the elements of a job: ``"cloud"``, the order in the OpenAPI document,
``[job_number, prompt_id, workflow_json, output_node_ids, metadata]``; or ``"oss"``, the order of ComfyUI itself,
``[number, prompt_id, prompt, extra_data, outputs_to_execute]``, in which ``number`` may be any finite number.

``now`` is the time of the response, in milliseconds since the Unix epoch. No job is created after it. It is a constant
by default, so that data is reproducible. For a client that reads the clock, pass ``int(time.time() * 1000)``.

Values are Python objects as returned by ``json.loads``. They share no objects, so the caller may change them. Nothing
here shares code with the checks.
"""

from __future__ import annotations

from conformance.strategies.jobs import NOW, Dialect, Item, QueueInfo, bodies, errors, items, prompt_ids, queue_infos
from conformance.strategies.notation import encoded
from conformance.strategies.workflows import workflows

__all__ = [
    "NOW",
    "Dialect",
    "Item",
    "QueueInfo",
    "bodies",
    "encoded",
    "errors",
    "items",
    "prompt_ids",
    "queue_infos",
    "workflows",
]

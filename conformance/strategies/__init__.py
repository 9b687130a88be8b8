"""Hypothesis strategies of what ``GET /api/queue`` may answer: test data for authors of clients, and of this suite.

Everything drawn keeps the contract, each ``must`` and each ``should`` of it, and is as odd as the
contract allows. Needs Hypothesis, which the extra ``properties`` installs::

    from hypothesis import given
    from conformance.strategies import bodies

    @given(bodies())
    def test_my_client_reads_any_queue(body: bytes) -> None:
        my_client.parse(body)

``dialect`` says in which order a job has its parts: ``"cloud"``, the one of the document,
``[job_number, prompt_id, workflow_json, output_node_ids, metadata]``; or ``"oss"``, that of ComfyUI itself,
``[number, prompt_id, prompt, extra_data, outputs_to_execute]``, whose number is any finite one.

``now`` is the moment of the answer, in milliseconds since the Unix epoch: no job is created after it. It is a
constant unless told, so that data can be had again; a client that looks at the clock is given
``int(time.time() * 1000)``.

Values are Python's for JSON, as ``json.loads`` returns them, and the caller's alone: nothing in them is shared, so
they may be changed. Nothing here shares code with what judges answers.
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

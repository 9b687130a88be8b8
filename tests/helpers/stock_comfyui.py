"""A sample report on a stock ComfyUI."""

from __future__ import annotations

from msgspec import structs

from conformance.judge.report import ClauseResult, Evidence, Excerpt, Report, Status, Verdict
from helpers import report_samples as sample


def comfyui() -> Report:
    """Return a report with ComfyUI's own order of the elements, positions from 0, and a warning."""
    swapped = Evidence(
        exchange="x1",
        pointer="/queue_running/0/3",
        expected="output_node_ids (array) at [3], metadata (object) at [4]",
        got='{"client_id": "5c2f", "create_time": 1767225600000}',
        message="Elements [3] and [4] of the job are swapped.",
        hint="elements 3 and 4 are swapped, as ComfyUI itself sends them (Comfy-Org/ComfyUI issue 12659); "
        "--dialect oss expects that order",
        kind="comfyui-order",
        more=6,
        last="/queue_pending/5/3",
        excerpt=Excerpt(
            before='…"Preview Image"}}}, ',
            marked='{"client_id": "5c2f", "create_time": 1767225600000}',
            after=', ["9"]]',
        ),
    )
    zero = Evidence(
        exchange="x1",
        pointer="/queue_running/0/0",
        expected="1 or more",
        got="0",
        message="job_number is below 1.",
        hint="a zero-based position: ComfyUI counts from 0",
        kind="zero",
    )
    changed = (
        _everywhere(sample.clause("item.element-order", Status.FAIL, swapped)),
        _everywhere(sample.clause("item.job-number.one-based", Status.FAIL, zero)),
        sample.clause("http.date", Status.WARN),
    )
    return sample.report(
        Verdict.NON_CONFORMANT,
        "2 must clauses broken: item.element-order, item.job-number.one-based",
        sample.all_but({result.id: result for result in changed}),
    )


def _everywhere(result: ClauseResult) -> ClauseResult:
    """Return the result with counts as if all responses of a run broke the clause."""
    return structs.replace(result, judged=95, breached=95, reason="broken in 95 of 95 responses")

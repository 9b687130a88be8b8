"""Derive the exit status of a run from its report, and whether the run reached its target.

An outage says nothing about the contract.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from conformance.contract.conversation import OK, ORIGIN_AWAY
from conformance.judge.report import Report, Status, Verdict
from conformance.problems import EXIT_CONFORMANT, EXIT_INCONCLUSIVE, EXIT_NON_CONFORMANT

EXIT_OF: Final = {
    Verdict.CONFORMANT: EXIT_CONFORMANT,
    Verdict.NON_CONFORMANT: EXIT_NON_CONFORMANT,
    Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
}
_AWAY: Final = frozenset({503, *ORIGIN_AWAY})
"""Statuses that a gateway sends if the server behind it is not available."""


def exit_status(report: Report, *, fail_on_should: bool = False, inconclusive_ok: bool = False) -> int:
    """Return the exit status of a run: 0 conformant, 1 non-conformant, 10 inconclusive.

    It is also 1 if the file of known deviations has expired or stale entries. With ``inconclusive_ok``, an inconclusive
    run gives 0 if only clauses could not be checked, but still 10 if the target was never reached.
    """
    if report.verdict is Verdict.NON_CONFORMANT:
        return EXIT_NON_CONFORMANT
    if report.deviations is not None and report.deviations.problems:
        return EXIT_NON_CONFORMANT
    if fail_on_should and any(result.status is Status.WARN for result in report.clauses):
        return EXIT_NON_CONFORMANT
    if report.verdict is Verdict.CONFORMANT:
        return EXIT_CONFORMANT
    forgiven = inconclusive_ok and report.counts.exercised and not report.counts.error and reached(report)
    return EXIT_CONFORMANT if forgiven else EXIT_INCONCLUSIVE


def reached(report: Report) -> bool:
    """Whether the run was not cut short, every response was complete, and at least one had status 200."""
    cut_short = report.run.partial and report.run.selected is None
    if report.load is not None:
        return not cut_short and not report.load.problems and "200" in report.load.statuses
    final = [exchange.response for exchange in report.exchanges if not exchange.superseded]
    return not cut_short and None not in final and any(answer is not None and answer.status == 200 for answer in final)


def unreached(report: Report) -> str | None:
    """Return why the target was not reached, or None if it was.

    It was not reached if no response arrived, or if most responses were errors of a gateway and none had status 200. A
    recording always counts as reached, and so does a run that is conformant or non-conformant.
    """
    if report.verdict is not Verdict.INCONCLUSIVE or report.run.recorded:
        return None
    if report.load is not None:
        return None if report.load.statuses or not report.load.problems else report.verdict_reason
    sent = [exchange for exchange in report.exchanges if not exchange.superseded]
    statuses = Counter(exchange.response.status for exchange in sent if exchange.response is not None)
    if not sent or statuses[OK] or report.counts.error:
        return None
    if not statuses or statuses.most_common(1)[0][0] in _AWAY:
        return report.verdict_reason
    return None


def warnings_that_fail(report: Report) -> int:
    """Return how many warnings make the exit status 1 because of ``--fail-on-should``.

    Return 0 if the exit status is 1 for another reason.
    """
    strict = report.run.options.get("fail_on_should") is True and report.verdict is not Verdict.NON_CONFORMANT
    return report.counts.warn if strict else 0

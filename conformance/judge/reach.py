"""Decide whether a run reached its target. An outage says nothing about the contract."""

from __future__ import annotations

from collections import Counter
from typing import Final

from conformance.contract.conversation import OK, ORIGIN_AWAY
from conformance.judge.report import Report, Verdict

_AWAY: Final = frozenset({503, *ORIGIN_AWAY})
"""Statuses that a gateway sends if the server behind it is not available."""


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

"""Count how many clauses of each profile (queue, http, auth, lifecycle) a run checked, and what the others need."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from conformance.contract.terms import Profile, profile_of
from conformance.judge.report import EXERCISED, ClauseResult, Run, Status

_OPTION: Final = re.compile(r"\((--(?:populate|allow-writes))\b")
"""Finds ``--populate`` or ``--allow-writes`` in the reason why a clause was not exercised."""
_OF_JOBS: Final = frozenset({"item", "queue", "workflow", "reads", "privacy"})
"""First words of the ids of clauses that need a job in the queue."""
A_KEY: Final = "a key"
A_JOB: Final = "a job in the queue"
A_RESPONSE: Final = "a response that the server did not send"
A_RECORDING: Final = "an exchange that was not recorded"
A_LIVE_RUN: Final = "a live run (check)"
"""What a recording must contain so that a clause is checked that needs ``--populate`` or ``--allow-writes`` live."""


_FROM_THE_SERVER: Final = frozenset({A_JOB, A_RESPONSE, A_RECORDING})


class ProfileCounts(NamedTuple):
    """How many clauses of a profile a run checked, and the ``total`` that it could have checked.

    ``needs`` counts the clauses that were not checked, by what they need. Clauses that need an option, a key or a live
    run are not part of ``total``.
    """

    profile: Profile
    checked: int
    total: int
    needs: dict[str, int]

    @property
    def out_of_reach(self) -> dict[str, int]:
        """The part of ``needs`` that the server cannot change: options, a key, a live run."""
        return {what: number for what, number in self.needs.items() if what not in _FROM_THE_SERVER}


def coverage(results: Sequence[ClauseResult], run: Run) -> tuple[ProfileCounts, ...]:
    """Count the clauses of each profile: those that were checked, and the others by what they need.

    Clauses that are not applicable are not counted. A profile without any other clause is left out.
    """
    found = []
    for profile in Profile:
        of_profile = [
            result
            for result in results
            if profile_of(result.id) is profile and result.status is not Status.NOT_APPLICABLE
        ]
        needs = Counter(need(result, run) for result in of_profile if result.status is Status.NOT_EXERCISED)
        if of_profile:
            checked = sum(result.status in EXERCISED for result in of_profile)
            counts = ProfileCounts(profile, checked, len(of_profile), dict(needs.most_common()))
            found.append(counts._replace(total=counts.total - sum(counts.out_of_reach.values())))
    return tuple(found)


def need(result: ClauseResult, run: Run) -> str:
    """Return what a clause needs that the run did not have: an option, a key, a job, or a response."""
    keyed = run.recorded or run.options.get("key") or run.target.startswith("embedded")
    if profile_of(result.id) is Profile.AUTH and not keyed:
        return A_KEY
    match = _OPTION.search(result.reason)
    if match is not None and run.recorded:
        return A_LIVE_RUN
    if match is not None and not run.options.get(match[1][2:].replace("-", "_")):
        return match[1]
    if result.id.partition(".")[0] in _OF_JOBS:
        return A_JOB
    return A_RECORDING if run.recorded else A_RESPONSE


def skip_reason(result: ClauseResult, run: Run) -> str:
    """Return why a clause was not checked, in the same words for every clause with the same cause."""
    if result.status is Status.NOT_APPLICABLE:
        return f"not applicable: {result.reason}"
    return f"not checked: needs {need(result, run)}"

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


class ProfileCounts(NamedTuple):
    """How many clauses of a profile a run checked (``exercised``), and how many it could check (``askable``).

    ``needs`` counts the clauses that this run could not check, by what they need: an option, or a key. ``unseen``
    counts those that it could have checked but did not, by what was missing, such as a job in the queue.
    """

    profile: Profile
    exercised: int
    askable: int
    needs: dict[str, int]
    unseen: dict[str, int]


def coverage(results: Sequence[ClauseResult], run: Run) -> tuple[ProfileCounts, ...]:
    """Return, for each profile, how many clauses a run checked and what was missing for the others.

    Clauses that are not applicable are not counted. A profile without any other clause is left out.
    """
    found = []
    for profile in Profile:
        of_profile = [
            result
            for result in results
            if profile_of(result.id) is profile and result.status is not Status.NOT_APPLICABLE
        ]
        unasked = [result for result in of_profile if result.status is Status.NOT_EXERCISED]
        needs = Counter(option for result in unasked if (option := out_of_reach(result, run)))
        unseen = Counter(missing(result) for result in unasked if not out_of_reach(result, run))
        if of_profile:
            found.append(
                ProfileCounts(
                    profile=profile,
                    exercised=sum(result.status in EXERCISED for result in of_profile),
                    askable=len(of_profile) - needs.total(),
                    needs=dict(needs.most_common()),
                    unseen=dict(unseen.most_common()),
                )
            )
    return tuple(found)


def out_of_reach(result: ClauseResult, run: Run) -> str:
    """Return the option or the key that a clause needs and that the run did not have, or "" if it had all."""
    if profile_of(result.id) is Profile.AUTH:
        keyed = run.recorded or run.options.get("key") or run.target.startswith("embedded")
        return "" if keyed else A_KEY
    match = _OPTION.search(result.reason)
    return "" if match is None or run.options.get(match[1][2:].replace("-", "_")) else match[1]


def missing(result: ClauseResult) -> str:
    """Return what was missing for a clause that the run could have checked: a job, or a response."""
    return A_JOB if result.id.partition(".")[0] in _OF_JOBS else A_RESPONSE


def skip_reason(result: ClauseResult, run: Run) -> str:
    """Return the reason why pytest skips a clause, in the same words for every clause with the same cause."""
    if result.status is Status.NOT_APPLICABLE:
        return f"not applicable: {result.reason}"
    return f"not exercised: needs {out_of_reach(result, run) or missing(result)}"

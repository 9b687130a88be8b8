"""A quick reading of a queue: what can be proven good is not built, and the clauses are asked of the rest.

Most of a queue is workflows, and most jobs are right. A typed decoder takes a body apart in one pass over its bytes and
leaves the elements of each job as text (``taken``). The types of the small ones say what the clauses say, and a workflow
is decoded by itself, looked at and let go again (``job``, ``workflow``). Of a job that is proven nothing is left to
ask; one that is not is asked as ever, in a body that holds such jobs alone; and a body that cannot be taken apart is
read as ever, as a whole (``reading``). What accuses is the clauses alone.
"""

from __future__ import annotations

from conformance.contract.skim.reading import KNOWN, Skimmed

__all__ = ["KNOWN", "Skimmed"]

"""The history of runs, in one SQLite file. It shows what changed from run to run, and since when a clause is broken.

report = keep(report, Path("history.db")) # adds the run; the report now has ``history`` with Store(Path("history.db"))
as store: for run in store.newest(): # of each target history = history_of(store, run) # lines of clauses, since when,
the diff from the run before over_time(snapshot(old_report), snapshot(new_report)).outcome
"""

from conformance.history.comparison import over_time, side_by_side
from conformance.history.file import HistoryProblem, UnusableHistory
from conformance.history.snapshot import Snapshot, snapshot
from conformance.history.store import Store, prepare
from conformance.history.trend import history_of, keep

__all__ = [
    "HistoryProblem",
    "Snapshot",
    "Store",
    "UnusableHistory",
    "history_of",
    "keep",
    "over_time",
    "prepare",
    "side_by_side",
    "snapshot",
]

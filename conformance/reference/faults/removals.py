"""Faults of a server that accepts jobs: deleting, clearing or interrupting has a wrong effect or response."""

from __future__ import annotations

from typing import Any

from conformance.reference.board import Board, BoardResponse, Job, Slow
from conformance.reference.faults.registry import board, replies
from conformance.reference.message import IncomingRequest, Reply

# --- removing jobs ----------------------------------------------------------------------------------------------------


@board("lifecycle.delete.removes")
class DeletesNothing(Board):
    """Deleted jobs stay in the queue and run."""

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        return [job for job in super().jobs_to_remove(names, clear=clear) if clear]


@board("lifecycle.delete.removes", name="revives-deleted-jobs")
class DeletedJobReappears(Board):
    """Half a second after it was deleted, a job is pending again."""

    def advance(self, now: float) -> None:
        super().advance(now)
        for job in self.jobs:
            if job.status == "cancelled" and job.started is None and now - (job.ends or now) > 0.5:
                job.status = "pending"
                job.started = now  # do this only once


@board("lifecycle.delete.spares")
class DeletesTooMuch(Board):
    """Deleting a job also deletes every pending job after it."""

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        waiting = self.pending
        first = next((place for place, job in enumerate(waiting) if clear or job.prompt_id in names), len(waiting))
        return waiting[first:]


@board("lifecycle.delete.spares")
class DeletesEverything(Board):
    """Deleting one job clears the queue."""

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        return super().jobs_to_remove(names, clear=clear or any(job.prompt_id in names for job in self.pending))


@board("lifecycle.delete.answer")
class DeletedIsACount(Board):
    """In the response to a deletion, `deleted` is a count instead of a list of ids."""

    def removal_response(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        del cleared
        return 200, {"deleted": len(deleted)}


@board("lifecycle.delete.names", name="names-nothing")
class DeletedIsEmpty(Board):
    """The response to a deletion has an empty list of deleted jobs, although a job was deleted."""

    def removal_response(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        del deleted
        return super().removal_response([], cleared=cleared)


@board("lifecycle.delete.unknown")
class FailsOnAnUnknownId(Board):
    """Deleting an id that is not in the queue causes a 500."""

    def manage(self, body: Any) -> BoardResponse:
        names = body.get("delete") if isinstance(body, dict) else None
        known = {job.prompt_id for job in self.pending}
        if isinstance(names, list) and set(names) - known:
            return 500, {"code": "INTERNAL", "message": "Something went wrong."}
        return super().manage(body)


@replies("lifecycle.delete.malformed", to=400, method="POST", variant="takes-jobs")
def malformed_is_fine(reply: Reply, ask: IncomingRequest) -> Reply:
    """A malformed request to remove jobs gets a success status."""
    return reply.json(200, {"deleted": []}) if ask.path.endswith("/queue") else reply


@board("lifecycle.survives-malformed")
class EndsOnAMalformedRequest(Board):
    """The server crashes if `delete` is not a list."""

    def manage(self, body: Any) -> BoardResponse:
        if isinstance(body, dict) and not isinstance(body.get("delete", []), list):
            self.dead = True
        return super().manage(body)


@board("lifecycle.clear.false")
class ClearsWhateverItSays(Board):
    """A request with the member `clear` clears the queue, even if the value of `clear` is false."""

    def manage(self, body: Any) -> BoardResponse:
        if isinstance(body, dict) and "clear" in body:
            body = body | {"clear": True}
        return super().manage(body)


@board("lifecycle.clear.empties", variant="takes-slow-jobs")
class ClearsAllButOne(Slow):
    """Clearing the queue leaves the last job in it."""

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        found = super().jobs_to_remove(names, clear=clear)
        return found[:-1] if clear else found


# --- interrupting -----------------------------------------------------------------------------------------------------


@board("lifecycle.interrupt.stops", variant="takes-slow-jobs")
class InterruptDoesNothing(Slow):
    """An interrupt gets a 200, but the job runs to its end."""

    def interrupt(self, _body: Any) -> BoardResponse:
        return 200, None


@board("lifecycle.interrupt.spares", variant="takes-slow-jobs")
class InterruptTakesTheNextToo(Slow):
    """An interrupt also removes the last pending job."""

    def interrupt(self, body: Any) -> BoardResponse:
        for job in self.pending[-1:]:
            self.end(job, "cancelled")
        return super().interrupt(body)


@board("lifecycle.interrupt.idle")
class InterruptOfNothingIsAConflict(Board):
    """An interrupt gets a 409 if no job runs."""

    def interrupt(self, body: Any) -> BoardResponse:
        if not self.running:
            return 409, {"code": "CONFLICT", "message": "No job is running."}
        return super().interrupt(body)

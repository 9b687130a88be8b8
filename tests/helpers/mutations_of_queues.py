"""Mutations of the queue and of its jobs."""

from __future__ import annotations

import copy
import string
from typing import Any, Final

from hypothesis import assume
from hypothesis import strategies as st

from conformance.contract.terms import Dialect
from conformance.reference.message import encode, verbatim
from helpers.answers import read
from helpers.mutations import (
    DEEPER,
    NOW_MS,
    Mutated,
    Pointer,
    Queue,
    a_graph,
    a_job,
    all_jobs,
    draw_queue,
    is_graph,
    neighbours,
    new_name,
    on_queue,
    on_run,
    on_text,
    token,
)

SAFE: Final = 2**53 - 1
GONE: Final = dict.fromkeys(
    ("item.job-number.number", "item.prompt-id.string", "item.workflow.object"),
    "the elements after the removed one are now at other positions",
)
INSERTED: Final = dict.fromkeys(
    (
        *GONE,
        "item.prompt-id.uuid",
        "item.workflow.not-empty",
        "item.element-order",
        "item.output-node-ids.array",
        "item.output-node-ids.not-empty",
        "item.metadata.object",
        "item.create-time.present",
        "item.create-time.number",
        "item.create-time.milliseconds",
        "item.create-time.whole",
    ),
    "the elements after the additional one are now at other positions: the workflow may be in place of the metadata",
)
MOVED: Final = {"queue.pending.oldest-first": "pending jobs are listed by the time that was changed"}

SCALARS: Final = st.sampled_from([None, True, False, "", "1", "NaN", "[]", "{}"])
NUMBERS: Final = st.sampled_from([0, 1, -1, 1.5, 2**64])
ARRAYS: Final = st.sampled_from([[], ["9"], [1], [[]], [{}]])
OBJECTS: Final = st.sampled_from([{}, {"9": {}}, {"create_time": NOW_MS}, {"0": 1}])


# --- the envelope -----------------------------------------------------------------------------------------------------


@on_text("envelope.object", DEEPER)
def another_value_than_an_object(draw: st.DrawFn, body: bytes) -> bytes:
    wrapped = st.sampled_from([b"[" + body + b"]", encode(body.decode())])
    return draw(st.one_of(wrapped, st.one_of(SCALARS, NUMBERS, ARRAYS).map(encode)))


@on_text("envelope.not-an-error")
def an_error_in_its_place(draw: st.DrawFn, body: bytes) -> bytes:
    error: dict[str, Any] = {"code": "UNAUTHORIZED", "message": body.decode()}
    kinds = [error, {"error": error}, {"errors": [error]}, {"error": "no"}, error | {"queue": None}]
    return encode(draw(st.sampled_from(kinds)))


def _not_a_list(name: str) -> None:
    @on_queue(f"envelope.{name.replace('_', '-')}.array", DEEPER, jobs=0)
    def something_else_than_an_array(draw: st.DrawFn, info: Queue) -> Pointer:
        info[name] = draw(st.one_of(SCALARS, NUMBERS, OBJECTS, st.just({"0": info[name]})))
        return f"/{name}"


_not_a_list("queue_running")
_not_a_list("queue_pending")


@on_queue("envelope.both-lists", jobs=0)
def one_list_is_missing(draw: st.DrawFn, info: Queue) -> Pointer:
    name = draw(st.sampled_from(["queue_running", "queue_pending"]))
    del info[name]
    return f"/{name}"


# --- the tuple --------------------------------------------------------------------------------------------------------


@on_queue("item.array")
def a_job_that_is_no_array(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    _, name, index = place.split("/")
    named = {"job_number": job[0], "prompt_id": job[1]}
    info[name][int(index)] = draw(st.one_of(SCALARS, NUMBERS, OBJECTS, st.sampled_from([named, job[1]])))
    return place


@on_queue("item.five-elements")
def a_job_cut_short(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    del job[draw(st.integers(0, 4)) :]
    return place


@on_queue("item.five-elements")
def elements_too_many_at_the_end(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job += draw(st.lists(st.one_of(SCALARS, NUMBERS, ARRAYS, OBJECTS), min_size=1, max_size=3))
    return place


@on_queue("item.five-elements", GONE)
def an_element_is_gone(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    del job[draw(st.integers(0, 4))]
    return place


@on_queue("item.five-elements", INSERTED)
def an_element_too_many_between(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job.insert(draw(st.integers(0, 4)), draw(st.sampled_from([None, "x", [], {}])))
    return place


@on_queue("item.element-order")
def elements_3_and_4_swapped(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[3], job[4] = job[4], job[3]
    return f"{place}/3"


@on_queue("queue.one-order", jobs=2, dialect=Dialect.AUTO)
def one_job_swapped(draw: st.DrawFn, info: Queue) -> Pointer:
    jobs = all_jobs(info)
    if draw(st.booleans()):  # swap the elements of all jobs, so that the one below has the wrong order
        for _, job in jobs:
            job[3], job[4] = job[4], job[3]
    place, job = draw(st.sampled_from(jobs[1:]))
    job[3], job[4] = job[4], job[3]
    return f"{place}/3"


def _another_type(clause: str, index: int, *wrong: st.SearchStrategy[Any]) -> None:
    @on_queue(clause)
    def a_value_of_another_type(draw: st.DrawFn, info: Queue) -> Pointer:
        place, job = a_job(draw, info)
        job[index] = draw(st.one_of(*wrong))
        return f"{place}/{index}"


_another_type("item.job-number.number", 0, SCALARS, ARRAYS, OBJECTS)
_another_type("item.prompt-id.string", 1, st.none(), st.booleans(), NUMBERS, ARRAYS, OBJECTS)
_another_type("item.workflow.object", 2, SCALARS, NUMBERS, ARRAYS)
_another_type("item.output-node-ids.array", 3, SCALARS, NUMBERS, OBJECTS)
_another_type("item.metadata.object", 4, SCALARS, NUMBERS, ARRAYS)


# --- [0] job_number ---------------------------------------------------------------------------------------------------


@on_queue("item.job-number.integer")
def a_fraction(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    digits = draw(st.sampled_from(["5", "1", "50", "0000000000000000000001"]))
    if job[0] == SAFE:  # with a fraction it would be beyond the safe range
        job[0] -= 1
        digits = "5"
    job[0] = verbatim(f"{job[0]}.{digits}")
    return f"{place}/0"


@on_queue("item.job-number.plain")
def a_whole_number_written_as_a_float(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    tail = draw(st.sampled_from([".0", ".000", "e0", "E0", "e+0", "e-0", ".0e0", "0e-1"]))
    job[0] = verbatim(f"{job[0]}{tail}")
    return f"{place}/0"


def _a_first(draw: st.DrawFn, info: Queue) -> tuple[str, list[Any]]:
    """Draw a running job, or the first pending job: its number or time can decrease without changing the order."""
    running = [found for found in all_jobs(info) if not found[0].startswith("/queue_pending")]
    waiting = [found for found in all_jobs(info) if found[0] == "/queue_pending/0"]
    found: tuple[str, list[Any]] = draw(st.sampled_from(running + waiting))
    return found


@on_queue("item.job-number.one-based")
def a_number_below_1(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = _a_first(draw, info)
    job[0] = verbatim(str(draw(st.integers(-SAFE, 0)))) if draw(st.booleans()) else verbatim("-0")
    return f"{place}/0"


@on_queue("item.job-number.safe")
def a_number_beyond_doubles(draw: st.DrawFn, info: Queue) -> Pointer:
    last = len(info["queue_pending"]) - 1
    places = [(place, job) for place, job in all_jobs(info) if place in {"/queue_running/0", f"/queue_pending/{last}"}]
    place, job = draw(st.sampled_from(places))
    job[0] = draw(st.one_of(st.integers(SAFE + 1, SAFE + 9), st.integers(SAFE + 1, 10**300)))
    return f"{place}/0"


# --- [1] prompt_id ----------------------------------------------------------------------------------------------------


@on_queue("item.prompt-id.uuid")
def something_around_it(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    forms = ["{{{}}}", "urn:uuid:{}", "{}\n", " {}", "\ufeff{}", "{}\0", "{}.json"]
    job[1] = draw(st.sampled_from(forms)).format(job[1])
    return f"{place}/1"


@on_queue("item.prompt-id.uuid")
def a_character_changed(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    index, prompt_id = draw(st.integers(0, 35)), job[1]
    wrong = draw(st.characters(exclude_characters=string.hexdigits + "-", exclude_categories=["Cs"]))
    one_less = prompt_id[:index] + prompt_id[index + 1 :]
    one_more = prompt_id[:index] + draw(st.sampled_from("0f-")) + prompt_id[index:]
    other = prompt_id[:index] + wrong + prompt_id[index + 1 :]
    job[1] = draw(st.sampled_from([other, one_less, one_more, prompt_id.replace("-", ""), ""]))
    return f"{place}/1"


@on_queue("item.prompt-id.lower-case")
def an_upper_case_digit(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    if not set(job[1]) & set("abcdef"):
        job[1] = draw(st.uuids(version=4)).hex
        job[1] = f"a{job[1][1:8]}-{job[1][8:12]}-4{job[1][13:16]}-8{job[1][17:20]}-{job[1][20:]}"
    letter = draw(st.sampled_from([index for index, character in enumerate(job[1]) if character in "abcdef"]))
    one = job[1][:letter] + job[1][letter].upper() + job[1][letter + 1 :]
    job[1] = draw(st.sampled_from([one, job[1].upper()]))
    return f"{place}/1"


@on_queue("queue.prompt-ids.distinct", jobs=2)
def an_id_listed_twice(draw: st.DrawFn, info: Queue) -> Pointer:
    jobs = all_jobs(info)
    later = draw(st.integers(1, len(jobs) - 1))
    jobs[later][1][1] = jobs[draw(st.integers(0, later - 1))][1][1]
    return f"{jobs[later][0]}/1"


# --- [2] workflow_json ------------------------------------------------------------------------------------------------


@on_queue("item.workflow.not-empty")
def a_workflow_left_out(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[2] = {}
    return f"{place}/2"


@on_queue("workflow.class-types")
def a_node_without_class_type(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_graph(draw, info)
    name = new_name(draw, job[2])
    bad = st.sampled_from([{"inputs": {}}, {"class_type": None}, {"class_type": 1}, {"class_type": ["A"]}])
    job[2][name] = draw(st.one_of(bad, SCALARS, NUMBERS, ARRAYS))
    return f"{place}/2/{token(name)}"


@on_queue("workflow.links")
def a_link_to_nowhere(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_graph(draw, info)
    name = draw(st.sampled_from(sorted(job[2])))
    inputs = job[2][name].setdefault("inputs", {})
    input_name = new_name(draw, inputs)
    inputs[input_name] = [new_name(draw, job[2]), draw(st.integers(0, 9))]
    return f"{place}/2/{token(name)}/inputs/{token(input_name)}"


@on_queue("workflow.output-nodes")
def an_output_of_no_node(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_graph(draw, info)
    index = draw(st.integers(0, len(job[3])))
    job[3].insert(index, new_name(draw, {"": None, **job[2]}))
    return f"{place}/3/{index}"


# --- [3] output_node_ids ----------------------------------------------------------------------------------------------


@on_queue("item.output-node-ids.strings")
def an_id_that_is_no_string(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    index = draw(st.integers(0, len(job[3])))
    job[3].insert(index, draw(st.one_of(st.none(), st.booleans(), NUMBERS, ARRAYS, OBJECTS)))
    return f"{place}/3/{index}"


@on_queue("item.output-node-ids.not-empty")
def no_output_at_all(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[3] = []
    return f"{place}/3"


@on_queue("item.output-node-ids.not-blank")
def an_empty_id(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    index = draw(st.integers(0, len(job[3])))
    job[3].insert(index, "")
    return f"{place}/3/{index}"


@on_queue("item.output-node-ids.distinct")
def an_output_listed_twice(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    first = draw(st.integers(0, len(job[3]) - 1))
    later = draw(st.integers(first + 1, len(job[3])))
    job[3].insert(later, job[3][first])
    return f"{place}/3/{later}"


# --- [4] metadata -----------------------------------------------------------------------------------------------------


@on_queue("item.create-time.present")
def no_create_time(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    time = job[4].pop("create_time")
    job[4][draw(st.sampled_from(["Create_Time", "createTime", "create_time ", "created_at"]))] = time
    return f"{place}/4/create_time"


@on_queue("item.create-time.number")
def a_time_that_is_no_number(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    texts = st.sampled_from([str(job[4]["create_time"]), "2025-11-23T16:00:00Z"])
    job[4]["create_time"] = draw(st.one_of(texts, SCALARS, ARRAYS, OBJECTS))
    return f"{place}/4/create_time"


@on_queue("item.create-time.milliseconds", MOVED)
def a_time_in_another_unit(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    time = job[4]["create_time"]
    units = st.sampled_from([time // 1000, time * 1000, time * 10**6, -time, 0, 10**12 - 1, 10**14])
    job[4]["create_time"] = draw(st.one_of(units, st.integers(-(10**20), 10**12 - 1), st.integers(10**14, 10**25)))
    return f"{place}/4/create_time"


@on_queue("item.create-time.whole")
def a_time_written_as_a_float(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[4]["create_time"] = verbatim(f"{job[4]['create_time']}{draw(st.sampled_from(['.0', 'e0', 'E+0', '.00e0']))}")
    return f"{place}/4/create_time"


@on_queue("item.create-time.whole", MOVED)
def a_fraction_of_a_millisecond(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[4]["create_time"] = verbatim(f"{job[4]['create_time']}.{draw(st.integers(1, 10**30))}")
    return f"{place}/4/create_time"


@on_queue("item.create-time.past", MOVED)
def a_time_to_come(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    job[4]["create_time"] = draw(st.integers(NOW_MS + 60_001, 10**14 - 1))
    return f"{place}/4/create_time"


@on_queue("privacy.credentials")
def a_key_beside_the_metadata(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    own = st.tuples(
        st.sampled_from(["api_key_comfy_org", "auth_token_comfy_org"]),
        st.sampled_from(["comfyui-123", "0", 1, True, ["x"]]),
    )
    others = st.tuples(
        st.sampled_from(["apiKey", "X-Api-Key", "client_secret", "Authorization", "PASSWORD", "accessToken"]),
        st.sampled_from(["abcd-1234", "a1b2c3d4e5"]),
    )
    by_form = st.tuples(st.just("note"), st.sampled_from(["Bearer abcdef0123456789", f"sk-{'a1' * 12}"]))
    name, value = draw(own | others | by_form)
    shown = {name: value}
    if draw(st.booleans()):
        job[4] |= shown
        return f"{place}/4/{name}"
    inner = new_name(draw, job[4])
    job[4][inner] = draw(st.sampled_from([[[shown]], [{"a": 1}, [shown]]]))
    return f"{place}/4/{token(inner)}/" + ("0/0/" if len(job[4][inner]) == 1 else "1/0/") + name


# --- between jobs -----------------------------------------------------------------------------------------------------


@on_queue("queue.pending.oldest-first", pending=2)
def an_older_job_behind_a_younger(draw: st.DrawFn, info: Queue) -> Pointer:
    place, before, after = neighbours(draw, info)
    before[4]["create_time"] = max(before[4]["create_time"], 10**12 + 1)
    after[4]["create_time"] = draw(st.integers(10**12, before[4]["create_time"] - 1))
    return f"{place}/4/create_time"


@on_queue("queue.job-numbers.distinct", pending=2)
def two_jobs_in_one_position(draw: st.DrawFn, info: Queue) -> Pointer:
    place, before, after = neighbours(draw, info)
    after[0] = before[0]
    return f"{place}/0"


@on_queue("queue.job-numbers.rising", pending=2)
def two_positions_swapped(draw: st.DrawFn, info: Queue) -> Pointer:
    place, before, after = neighbours(draw, info)
    before[0], after[0] = after[0], before[0]
    return f"{place}/0"


# --- between responses ------------------------------------------------------------------------------------------------


NODE: Final[dict[str, Any]] = {"class_type": "New", "inputs": {}}


@on_run("reads.job-data")
def another_workflow(draw: st.DrawFn) -> Mutated:
    info = draw_queue(draw, 1)
    then = encode(info)
    place, job = a_job(draw, info)
    job[2][new_name(draw, job[2])] = NODE if is_graph(job[2]) else 1
    return Mutated([read(then), read(encode(info), number=2)], f"{place}/2")


@on_run("reads.job-data")
def other_outputs(draw: st.DrawFn) -> Mutated:
    info = draw_queue(draw, 1)
    place, job = a_job(draw, info)
    one_more = new_name(draw, {"": None, **job[2], **dict.fromkeys(job[3])})
    job[2] |= {one_more: NODE} if is_graph(job[2]) else {}
    job[3].append(one_more)
    then = encode(info)
    job[3].reverse()
    return Mutated([read(then), read(encode(info), number=2)], f"{place}/3")


@on_run("reads.job-data")
def another_time(draw: st.DrawFn) -> Mutated:
    info = draw_queue(draw, 1)
    place, job = _a_first(draw, info)
    assume(job[4]["create_time"] > 10**12 + 9)
    then = encode(info)
    job[4]["create_time"] -= draw(st.integers(1, 9))
    return Mutated([read(then), read(encode(info), number=2)], f"{place}/4/create_time")


@on_run("reads.order")
def two_pending_jobs_change_places(draw: st.DrawFn) -> Mutated:
    info = draw_queue(draw, 2, waiting=True)
    place, before, after = neighbours(draw, info)
    after[4]["create_time"] = before[4]["create_time"]
    then = encode(info)
    index = int(place.rpartition("/")[2])
    before[0], after[0] = after[0], before[0]
    info["queue_pending"][index - 1 : index + 1] = [after, before]
    return Mutated([read(then), read(encode(info), number=2)], f"/queue_pending/{index - 1}")


@on_run("reads.steady")
def a_job_is_missing_from_one_read(draw: st.DrawFn) -> Mutated:
    whole = draw_queue(draw, 1)
    part = copy.deepcopy(whole)
    _, name, index = a_job(draw, whole)[0].split("/")
    del part[name][int(index)]
    bodies = (whole, part, whole)
    return Mutated([read(encode(body), number=number) for number, body in enumerate(bodies, 1)], "")

"""Mutations of the JSON text of a queue."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from conformance.reference.message import encode, verbatim
from helpers.mutations import Pointer, Queue, a_job, an_object, on_queue, on_text, open_objects, put, token


@on_text("json.well-formed")
def a_body_cut_off(draw: st.DrawFn, body: bytes) -> bytes:
    text = body.decode().rstrip()
    return text[: draw(st.integers(0, len(text) - 1))].encode()


@on_text("json.well-formed")
def what_only_lax_readers_take(draw: st.DrawFn, body: bytes) -> bytes:
    inner = body.strip()[1:-1]
    return draw(
        st.sampled_from(
            [
                b"{" + inner + b",}",
                b"{," + inner + b"}",
                b"{" + inner + b"/* */}",
                b"// \n{" + inner + b"}",
                b"{x: 1, " + inner + b"}",
                b"{'x': 1, " + inner + b"}",
                b'{"x": .5, ' + inner + b"}",
                b'{"x": 01, ' + inner + b"}",
                b'{"x": +1, ' + inner + b"}",
                b'{"x": 1., ' + inner + b"}",
                b'{"x": "\\x41", ' + inner + b"}",
                b'{"x": "\\u12", ' + inner + b"}",
                b'{"x": None, ' + inner + b"}",
                b'{"x": 0x10, ' + inner + b"}",
                b'{"x": [1 2], ' + inner + b"}",
                b'{"x" 1, ' + inner + b"}",
                b"\xc2\xa0{" + inner + b"}",
                b"\x0c{" + inner + b"}",
                b"<html>" + inner + b"</html>",
                repr(inner).encode(),
            ]
        )
    )


@on_queue("json.finite-numbers", jobs=0)
def no_number_anywhere(draw: st.DrawFn, info: Queue) -> Pointer:
    return put(draw, info, draw(st.sampled_from(["NaN", "Infinity", "-Infinity"])))[1]


@on_queue("json.finite-numbers")
def no_number_in_the_tuple(draw: st.DrawFn, info: Queue) -> Pointer:
    place, job = a_job(draw, info)
    constant = verbatim(draw(st.sampled_from(["NaN", "Infinity", "-Infinity"])))
    index = draw(st.integers(0, 6))
    if index < 5:
        job[index] = constant
        return f"{place}/{index}"
    if index == 5:
        job[4]["create_time"] = constant
        return f"{place}/4/create_time"
    job[3].append(constant)
    return f"{place}/3/{len(job[3]) - 1}"


@on_queue("json.utf-8", jobs=0)
def bytes_of_another_encoding(draw: st.DrawFn, info: Queue) -> Pointer:
    stray = st.sampled_from(["\udce9", "\udcff", "\udcc0\udc80", "\udced\udca0\udc80", "a\udce2\udc82", "\udc80"])
    put(draw, info, f'"{draw(stray)}"')
    return ""


@on_text("json.utf-8")
def another_unicode(draw: st.DrawFn, body: bytes) -> bytes:
    return body.decode().encode(draw(st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])))


@on_text("json.no-bom")
def a_byte_order_mark(_draw: st.DrawFn, body: bytes) -> bytes:
    return b"\xef\xbb\xbf" + body


@on_text("json.single-text")
def something_behind_it(draw: st.DrawFn, body: bytes) -> bytes:
    odd = st.sampled_from(["null", "{}", ",", "}", "\0", "\x0c", "\ufeff", "NaN"])
    rest = draw(odd | st.text(min_size=1))
    return body + (rest if rest.strip(" \t\r\n") else f"{rest}x").encode("utf-8", "replace")


@on_queue("json.control-characters", jobs=0)
def a_raw_control_character(draw: st.DrawFn, info: Queue) -> Pointer:
    put(draw, info, f'"a{chr(draw(st.integers(0, 31)))}b"')
    return ""


@on_queue("json.distinct-names", jobs=0)
def a_name_that_stands_twice(draw: st.DrawFn, info: Queue) -> Pointer:
    place, members = draw(st.sampled_from([found for found in open_objects(info) if found[1]]))
    name = draw(st.sampled_from(sorted(members)))
    text = encode(members[name]).decode("utf-8", "surrogateescape")
    # Write the member twice. A verbatim mark is needed, because `"name":value` is only a part of JSON text.
    members[verbatim(f"{json.dumps(name)}:{text},{json.dumps(name)}")] = members.pop(name)
    return f"{place}/{token(name)}"


@on_queue("json.paired-surrogates", jobs=0)
def half_a_character(draw: st.DrawFn, info: Queue) -> Pointer:
    half = draw(st.sampled_from(["\\ud800", "\\uDFFF", "\\udc00\\ud800", "a\\ud83db", "\\ud83d\\u0041"]))
    if draw(st.booleans()):
        return put(draw, info, f'"{half}"')[1]
    place, members = an_object(draw, info)
    members[verbatim(f'"{half}"')] = 1
    return place


@on_queue("json.number-range", jobs=0)
def a_number_beyond_range(draw: st.DrawFn, info: Queue) -> Pointer:
    exponent = draw(st.integers(309, 10**9))
    texts = [f"1e{exponent}", f"-1E+{exponent}", f"0.1e{exponent + 1}", f"1e{'9' * 99}", "9" * 310]
    texts.append("1.7976931348623159e308")
    return put(draw, info, draw(st.sampled_from(texts)))[1]


@on_queue("json.nesting", jobs=0)
def nested_too_deep(draw: st.DrawFn, info: Queue) -> Pointer:
    depth = draw(st.one_of(st.integers(128, 400), st.integers(501, 3000)))
    opening, closing = draw(st.sampled_from([("[", "]"), ('{"":', "}")]))
    put(draw, info, opening * depth + ("0" if opening != "[" else "") + closing * depth)
    return ""

"""Limits that a conforming server applies before it looks at a request: on the rate, at start-up, and bans."""

from __future__ import annotations

from typing import Final

from conformance.reference.door import Door
from conformance.reference.tolerances.row import Row

ROWS: Final = (
    Row("ten-a-second", "More than ten requests a second get a 429.", settings={"door": Door(rate=10)}),
    Row(
        "four-a-second",
        "More than four requests a second get a 429 with a Retry-After.",
        settings={"door": Door(rate=4, burst=4, tells=True)},
    ),
    Row("two-a-second", "More than two requests a second get a 429.", settings={"door": Door(rate=2)}),
    Row(
        "two-a-second-or-503",
        "More than two requests a second get a 503 with a Retry-After.",
        settings={"door": Door(rate=2, status=503, tells=True)},
    ),
    Row(
        "one-in-two-seconds",
        "A request less than two seconds after another gets a 429.",
        settings={"door": Door(rate=0.5)},
    ),
    Row(
        "thirty-a-minute",
        "More than thirty requests within a minute get a 429 with a Retry-After.",
        settings={"door": Door(burst=30, window=60, tells=True)},
    ),
    Row(
        "thirty-a-minute-without-retry-after",
        "More than thirty requests within a minute get a 429 without a Retry-After.",
        settings={"door": Door(burst=30, window=60)},
    ),
    Row(
        "bucket-of-25",
        "After twenty-five requests at once, more than four a second get a 429.",
        settings={"door": Door(rate=4, burst=25)},
    ),
    Row(
        "starts-for-four-seconds",
        "The server needs four seconds to start. Until then it sends a 503 with a Retry-After.",
        settings={"door": Door(starts=4, status=503, tells=True)},
    ),
    Row(
        "bans-with-403",
        "After one wrong key the client's address only gets a 403.",
        settings={"needs_key": True, "door": Door(bans=403)},
    ),
    Row(
        "bans-with-429",
        "After one wrong key the client's address only gets a 429.",
        settings={"needs_key": True, "door": Door(bans=429)},
    ),
    Row(
        "bans-with-404",
        "After one wrong key the client's address only gets a 404.",
        settings={"needs_key": True, "door": Door(bans=404)},
    ),
    Row(
        "bans-by-hanging-up",
        "After one wrong key the client's address gets no response.",
        settings={"needs_key": True, "door": Door(bans=0)},
    ),
)

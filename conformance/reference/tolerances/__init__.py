"""A table of further conforming behaviour: each row is something that clients and this suite must tolerate.

``variants.py`` turns each row into a variant of the reference endpoint.
"""

from __future__ import annotations

from typing import Final

from conformance.reference.tolerances import http, jobs, limits, requests
from conformance.reference.tolerances.row import Row

TABLE: Final[tuple[Row, ...]] = (*http.ROWS, *requests.ROWS, *jobs.ROWS, *limits.ROWS)

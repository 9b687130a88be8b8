"""More ways of keeping the contract, as a table: each row says one thing that clients and this suite have to tolerate.

``variants.py`` makes variants of the rows.
"""

from __future__ import annotations

from typing import Final

from conformance.reference.tolerances import http, jobs, requests
from conformance.reference.tolerances.row import Row

TABLE: Final[tuple[Row, ...]] = (*http.ROWS, *requests.ROWS, *jobs.ROWS)

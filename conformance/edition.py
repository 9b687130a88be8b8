"""Edition: the clauses as they stand together, by a number that rises when a clause is added or its level raised.

A run that is pinned to an edition (``--edition``) is decided by that one alone, so that an upgrade of the suite turns
no night red by itself; of what a newer one would add it is told. Clauses that are taken out or softened are so in
every edition: nobody is to be accused of what was a mistake.
"""

from __future__ import annotations

from typing import Final

EDITION: Final = 1
"""The newest: that of clauses which are added from now on (``since``), and the one by which a run is judged."""

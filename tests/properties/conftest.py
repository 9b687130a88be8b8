"""How much is drawn: the same few hundred examples, or with ``HYPOTHESIS_PROFILE=night`` thousands of fresh ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parents[1]))  # answers.py, also where these tests run alone

_OF_THE_MACHINE = [HealthCheck.too_slow]

settings.register_profile(
    "quick", max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=_OF_THE_MACHINE
)
settings.register_profile(
    "night", max_examples=5000, database=None, deadline=None, print_blob=True, suppress_health_check=_OF_THE_MACHINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

"""Hypothesis settings for all tests.

By default the same examples run every time, so that a red test means a change and not luck. To search for new
counterexamples: ``HYPOTHESIS_PROFILE=search python -m pytest tests/cells``.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ganglion",
    deadline=None,
    derandomize=True,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", parent=settings.get_profile("ganglion"), derandomize=False, max_examples=500
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ganglion"))

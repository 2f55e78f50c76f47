"""Settings that every test shares."""

from __future__ import annotations

from hypothesis import settings

# A deadline per example says more about the machine than about the code; each test has a time limit anyway.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

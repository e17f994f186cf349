"""What all tests share: where they import from, and how hypothesis searches."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # without an editable install: `from tests.fs...`
    sys.path.insert(0, str(ROOT))

# Whoever starts the tests in the background may have it ignored, and what they start with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time, unless somebody goes looking for new ones.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("explore", settings.get_profile("ci"), derandomize=False)
settings.load_profile("explore" if os.environ.get("VSHELL_HYPOTHESIS") == "explore" else "ci")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") or item.get_closest_marker("registry"):
        from tests.sync.daemon import prepare

        prepare(item)

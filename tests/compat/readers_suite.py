"""Libraries that open files of a workspace through fsspec."""

from __future__ import annotations

from tests.compat.environments import Environment
from tests.compat.outcome import Outcome

ENVIRONMENT = Environment(
    "upath",
    "pandas, duckdb and UPath through fsspec",
    "fsspec",
    (
        "fsspec",
        "universal-pathlib==0.3.10",
        "pandas==3.1.1",
        "duckdb==2.0.1",
        "smbprotocol",
        "pytest-mock",
    ),
    ("tests/tools/adapters/test_fsspec_readers.py",),
)


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    return ENVIRONMENT.run(quick=quick)

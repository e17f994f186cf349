"""`python -m tests.bench NAME`: run one benchmark and print its tables.

storage   files, metadata, large files and diffs, beside plain files and other stores
"""

from __future__ import annotations

import argparse
import importlib
import sys

BENCHMARKS = ("storage",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    found = parser.parse_args()
    importlib.import_module(f"tests.bench.{found.name}").run(quick=found.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())

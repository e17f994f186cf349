"""`python -m tests.bench NAME`: run one benchmark and print its tables.

history   snapshots, undo, forks and comparisons beside git; a long life
storage   files, metadata, large files and diffs, beside plain files and other stores
search    grep and glob beside ripgrep; --tree DIR searches that tree's files
tools     what tool calls cost over the operations, and MCP over stdio
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = ("history", "search", "storage", "tools")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    parser.add_argument("--tree", type=Path, help="the files that `search` searches")
    found = parser.parse_args()
    options = {"tree": found.tree} if found.tree else {}
    importlib.import_module(f"tests.bench.{found.name}").run(quick=found.quick, **options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

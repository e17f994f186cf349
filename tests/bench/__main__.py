"""`python -m tests.bench NAME`: run one benchmark and print its tables.

awk       programs of awk beside mawk, gawk and bashkit alone
history   snapshots, undo, forks and comparisons beside git; a long life
prompt    the first prompt of the interactive shell, and the first line
scripts   scripts in each engine, beside node and deno, and exec as the floor
search    grep and glob beside ripgrep; --tree DIR searches that tree's files
shell     scripts beside bashkit alone, a bash process, and Mirage if it is installed
storage   files, metadata, large files and diffs, beside plain files and other stores
sync      mirrors beside cp, rsync, docker cp and the daemon's archives
tools     tool calls and a round trip to the MCP server
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = ("awk", "history", "prompt", "scripts", "search", "shell", "storage", "sync", "tools")


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

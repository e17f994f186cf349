"""`python -m tests.fs.fuzz_search`: the fuzz of the search index, for as long as one likes."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fs.test_search_index import differences

PATTERNS_PER_SEED = 250


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fs.fuzz_search", description=__doc__)
    parser.add_argument("--patterns", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    found = parser.parse_args()
    start, wrong, seed = time.monotonic(), 0, found.seed
    for seed in range(found.seed, found.seed - (-found.patterns // PATTERNS_PER_SEED)):
        for difference in differences(seed, PATTERNS_PER_SEED):
            wrong += 1
            print(f"seed {seed}: {difference}")
    tried = (seed - found.seed + 1) * PATTERNS_PER_SEED
    seconds = time.monotonic() - start
    print(f"seeds {found.seed} to {seed}: {tried} patterns, {wrong} differences, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

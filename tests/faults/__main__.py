"""`python -m tests.faults [NAME]`: try to break the storage, and print what came of it.

io          every file operation fails once: reads, writes, syncs, locks, a full disk
power       the power is cut, with any part of what was not synced lost
kills       processes are killed, at random and at each file operation
contention  processes and threads on one workspace
containers  processes that run a job in a container are killed; needs a Docker daemon
fuzz        damaged and foreign files
inputs      spoiled patches, archives, globs, patterns, JSON queries
mirrors     processes that synchronise a mirror are killed
model       random operations on a history, beside a plain model

Without a name, all of them run. A seed always chooses the same attempts; only the moments
of random kills and the order of processes and threads are the machine's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from tests.faults import (
    container_kills,
    contention,
    file_fuzz,
    input_fuzz,
    io_faults,
    kills,
    mirror_kills,
    model,
    power_cut,
)
from tests.faults.findings import Findings

_PROOFS: dict[str, tuple[Callable[..., Findings], int | None, str]] = {
    "io": (io_faults.run, None, "faults; all by default"),
    "power": (power_cut.run, 4000, "power cuts"),
    "kills": (kills.run, 300, "kills"),
    "contention": (contention.run, 150_000, "operations of each kind of workers"),
    "containers": (container_kills.run, 60, "kills"),
    "fuzz": (file_fuzz.run, 2000, "files"),
    "inputs": (input_fuzz.run, 3000, "inputs"),
    "mirrors": (mirror_kills.run, 150, "kills"),
    "model": (model.run, 300, "runs of 30 steps"),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=_PROOFS)
    meanings = ", ".join(f"{name}: {meaning}" for name, (_, _, meaning) in _PROOFS.items())
    parser.add_argument("--count", type=int, help=f"how many ({meanings})")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    failed = False
    for name in [asked.name] if asked.name else _PROOFS:
        run, usual, _ = _PROOFS[name]
        started = time.monotonic()
        findings = run(count=asked.count or usual, seed=asked.seed)
        seconds = time.monotonic() - started
        print(f"{name}, seed {asked.seed}, {seconds:.0f} s")
        print(findings.text(), flush=True)
        failed = failed or bool(findings.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""The mirror in a directory and in containers, beside what else copies the same files.

Beside `cp -a` and `rsync -a`, and what Docker offers (`sync_containers.py`); mutagen is not
here, as neither Debian, PyPI nor npm has it.

2,000 files of 20 MB together lie on a file system in memory, where a mirror belongs: the
database is the copy that lasts. What is measured is the whole of `push`, `pull` or `sync`.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from tests.bench import sync_containers
from tests.bench.harness import Row, print_table, readable
from vshell import Workspace
from vshell.sync.mirror import Mirror

FILES = 2000
TOTAL_BYTES = 20_000_000
CHANGED = 10

PROCESSOR_S: dict[str, list[float]] = {}
"""How long our own processor time was, by row."""


def run(*, quick: bool) -> None:
    """Measure and print.

    Args:
        quick: Only show that everything runs.
    """
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="vshell-bench-", dir=shared) as name:
        place = Path(name)
        rounds = 2 if quick else 9
        rows = measure_directory(place, files=200 if quick else FILES, rounds=rounds)
        found = sync_containers.run(place, place / "source", rounds=rounds)
        contained = {row.name: row for row in found}
        joined = [
            Row(row.name, row.seconds | contained.pop(row.name, Row("", {})).seconds)
            for row in rows
        ]
        print_table(
            f"Mirrors of {200 if quick else FILES} files, in memory: a directory, and containers",
            [*joined, *contained.values()],
        )
        _print_targets(rows)
        if found:
            sync_containers.print_targets(found)
        measure_memory(place, sizes=[200] if quick else [2000, 20_000])


def measure_directory(place: Path, *, files: int, rounds: int) -> list[Row]:
    """Return what a mirror in a directory takes."""
    source = place / "source"
    make_files(source, files)
    with Workspace.memory() as ws:
        ws.import_directory(source)
        rows = [_full_push(ws, source, place, rounds)]
        root = place / "mirror"
        mirror = ws.mirror(root)
        mirror.sync()
        rows += _changes(ws, mirror, root, source, place, rounds)
    return rows


def make_files(source: Path, files: int) -> None:
    """Make files as a project has them: many small ones, in directories of a few dozen."""
    chance = random.Random(1)
    size = TOTAL_BYTES // FILES
    for number in range(files):
        path = source / f"d{number // 100}" / f"e{number // 20 % 5}" / f"f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randint(size // 10, size * 19 // 10)))


def _full_push(ws: Workspace, source: Path, place: Path, rounds: int) -> Row:
    def ours(target: Path) -> None:
        ws.mirror(target).push()

    def rsync(target: Path) -> None:
        subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)

    def copy(target: Path) -> None:
        subprocess.run(["cp", "-a", source, target], check=True)

    contenders = {"vshell": ours, "rsync -a": rsync, "cp -a": copy}
    if shutil.which("rsync") is None:
        del contenders["rsync -a"]
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(max(2, rounds // 2)):
        for name, work in contenders.items():
            target = place / f"full-{number}"
            processor_s = time.process_time()
            seconds[name].append(_timed(lambda: work(target)))  # noqa: B023 - called at once
            if name == "vshell":
                PROCESSOR_S.setdefault("full push", []).append(time.process_time() - processor_s)
            shutil.rmtree(target)
    return Row("full push", {name: statistics.median(found) for name, found in seconds.items()})


def _changes(
    ws: Workspace, mirror: Mirror, root: Path, source: Path, place: Path, rounds: int
) -> list[Row]:
    chance = random.Random(2)
    paths = [entry.path for entry in ws.files.walk_details("/") if entry.kind == 1]
    other = place / "other"
    subprocess.run(["cp", "-a", source, other], check=True)
    times: dict[str, dict[str, list[float]]] = {}

    def note(row: str, contender: str, work: Callable[[], object]) -> None:
        processor_s = time.process_time()
        times.setdefault(row, {}).setdefault(contender, []).append(_timed(work))
        if contender == "vshell":
            PROCESSOR_S.setdefault(row, []).append(time.process_time() - processor_s)

    def rsync() -> None:
        subprocess.run(["rsync", "-a", f"{source}/", f"{other}/"], check=True)

    for _ in range(rounds):
        note("nothing changed", "vshell", mirror.sync)
        some = chance.sample(paths, CHANGED)
        for path in some:
            data = chance.randbytes(10_000)
            ws.write(path, data)
            (source / path[1:]).write_bytes(data)
        note(f"push of {CHANGED} changed", "vshell", mirror.push)
        if shutil.which("rsync"):
            note(f"push of {CHANGED} changed", "rsync -a", rsync)
            note("nothing changed", "rsync -a", rsync)
        for path in chance.sample(paths, CHANGED):
            (root / path[1:]).write_bytes(chance.randbytes(10_000))
        note(f"detect {CHANGED} changed", "vshell", mirror.status)
        note(f"pull of {CHANGED} changed", "vshell", mirror.pull)
    return [
        Row(row, {contender: statistics.median(found) for contender, found in times[row].items()})
        for row in sorted(times)
    ]


def measure_memory(place: Path, sizes: list[int]) -> None:
    """Print what a look at a mirror in which nothing changed takes, for trees of several sizes."""
    print("\n### Memory of a synchronisation that has nothing to do\n")
    for files in sizes:
        source, root = place / f"many-{files}", place / f"mirror-{files}"
        for number in range(files):
            path = source / f"d{number // 500}" / f"f{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(number))
        with Workspace.memory() as ws:
            ws.import_directory(source)
            mirror = ws.mirror(root)
            mirror.sync()
            tracemalloc.start()
            mirror.sync()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        print(f"- {files} files: {peak / 1024:.0f} KiB")


_TARGETS_S = {
    "nothing changed": 0.010,
    f"detect {CHANGED} changed": 0.025,
    f"push of {CHANGED} changed": 0.015,
    f"pull of {CHANGED} changed": 0.040,
}


def _print_targets(rows: list[Row]) -> None:
    """Print what of a time is the processor's: the rest is waiting, on a busy machine for a turn."""
    print()
    for row in rows:
        processor = readable(statistics.median(PROCESSOR_S[row.name]))
        line = f"- {row.name}: {readable(row.seconds['vshell'])}, {processor} of it computing"
        target = _TARGETS_S.get(row.name)
        if target is not None:
            verdict = "met" if row.seconds["vshell"] <= target else "missed"
            line += f"; at most {readable(target)}: {verdict}"
        print(line)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

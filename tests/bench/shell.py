"""The shell, beside bashkit alone, a bash process on the same files on disk, and Mirage.

Mirage (`mirage-ai`) takes part when it is installed; it is no dependency of the tests.
"""

from __future__ import annotations

import asyncio
import importlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.harness import interleave, print_table, readable
from vshell import Workspace
from vshell.shell.opening import workers_of
from vshell.shell.shell import Shell

FILES = 1000
Contender = Callable[[str], object]

# What is done, and what the ratio to the others should be at least.
SCRIPTS: list[tuple[str, str, dict[str, float]]] = [
    ("1,000 x true", "for i in {1..1000}; do true; done", {"mirage": 10}),
    ("echo > f", "echo hi > f", {"mirage": 10}),
    ("cat f", "cat f", {"mirage": 10}),
    ("ls -l, 1,000 files", "ls -l tree/d0 > /dev/null", {"mirage": 10}),
    ("grep -rl, 1,000 files", "grep -rl needle tree", {"bash": 1, "mirage": 10}),
    ("find -name, 1,000 files", "find tree -name '*7.txt'", {"bash": 1 / 3, "mirage": 10}),
    (
        "loop of 10,000",
        "i=0; while [ $i -lt 10000 ]; do i=$((i + 1)); done; echo $i",
        {"bashkit": 1 / 1.5, "mirage": 10},
    ),
    (
        "200 x $(echo)",
        "for i in {1..200}; do x=$(echo $i); done",
        {"bash": 20, "mirage": 10},
    ),
    (
        "200 x $(echo | tr | wc)",
        "for i in {1..200}; do x=$(echo $i | tr 1 2 | wc -c); done",
        {"mirage": 10},
    ),
    ("sort | uniq -c", "cat tree/d1/* | sort | uniq -c | sort -rn | head -3", {"mirage": 10}),
]


def run(*, quick: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="vshell-bench-") as name:
        disk = Path(name, "disk")
        make_tree(disk)
        with Workspace.open(Path(name, "w.db")) as workspace:
            workspace.import_directory(disk, "/")
            measure(workspace, disk, rounds=3 if quick else 15)
            measure_start(workspace, rounds=3 if quick else 10)


def make_tree(root: Path) -> None:
    """Make 1,000 text files in ten directories."""
    for number in range(FILES):
        path = root / f"tree/d{number % 10}/f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        needle = "needle" if number % 50 == 0 else "hay"
        path.write_text(f"line {number}\n" * 20 + f"a {needle} here\n")
    (root / "f").write_text("hi\n")


def measure(workspace: Workspace, disk: Path, *, rounds: int) -> None:
    with workspace.shell() as shell:
        contenders: dict[str, Contender] = {"vshell": ours(shell), "bashkit": bashkit(disk)}
        if shutil.which("bash"):
            contenders["bash"] = bash(disk)
        mirage = mirage_shell(disk)
        if mirage is not None:
            contenders["mirage"] = mirage
        rows = []
        for name, script, target in SCRIPTS:
            calls = {
                contender: (lambda _number, call=call, script=script: call(script))
                for contender, call in contenders.items()
            }
            rows.append(interleave(name, calls, rounds=rounds, target=target))
        print_table("One script, through the API", rows)


def ours(shell: Shell) -> Contender:
    def call(script: str) -> object:
        result = shell.run(script)
        assert result.exit_code == 0, result
        return result.stdout

    return call


def bashkit(disk: Path) -> Contender:
    """Return bashkit with the same files in its own memory."""
    from bashkit import Bash, ExecutionProfile

    files: dict[str, str | Callable[[], str]] = {
        f"/w/{path.relative_to(disk)}": path.read_text()
        for path in disk.rglob("*")
        if path.is_file()
    }
    engine = Bash(profile=ExecutionProfile.Interactive, cwd="/w", files=files)
    return engine.execute_sync


def bash(disk: Path) -> Contender:
    def call(script: str) -> object:
        return subprocess.run(["bash", "-c", script], cwd=disk, capture_output=True, check=True)

    return call


def mirage_shell(disk: Path) -> Contender | None:
    """Return Mirage with the same files in its memory, or None when it is not installed."""
    try:
        mirage: Any = importlib.import_module("mirage")
        resource: Any = importlib.import_module("mirage.resource.ram").RAMResource
    except (ImportError, AttributeError):
        return None
    space = mirage.Workspace({"/w": resource()})
    loop = asyncio.new_event_loop()

    def call(script: str) -> object:
        return loop.run_until_complete(space.execute(f"cd /w; {script}"))

    for path in disk.rglob("*.txt"):
        place = path.relative_to(disk)
        call(f"mkdir -p {place.parent}; cat > {place} <<'E'\n{path.read_text()}E\n")
    call("echo hi > f")
    return call


def measure_start(workspace: Workspace, *, rounds: int) -> None:
    """Print how long a worker takes to be ready, and a workspace's first one."""
    workers = workers_of(workspace.files)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        worker = workers.start()
        worker.wait_until_ready()
        times.append(time.perf_counter() - start)
        workers.discard(worker)
    times.sort()
    print(f"\nA worker is ready in {readable(times[len(times) // 2])} (target: under 150 ms),")
    start = time.perf_counter()
    with Workspace.memory() as other:
        other.shell().run("true")
    print(f"the first script of a workspace has run in {readable(time.perf_counter() - start)}.")

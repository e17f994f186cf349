"""Programs of awk on many lines, beside mawk and gawk, and the awk of bashkit alone."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.harness import interleave, print_table
from vshell import Workspace

PROGRAMS = (
    "{ print $1 }",
    "{ s += $3 } END { print s }",
    "{ c[$1]++ } END { for (k in c) print k, c[k] }",
    "$2 > 1000",
    "/beta/",
    "NR % 2",
    "{ print $1, $4 }",
    '{ gsub(/a/, "x"); print }',
    '{ printf "%s %d\\n", $1, $2 }',
    "!seen[$1]++",
    '{ split($0, a, " "); print a[2] }',
    "/(alpha|gamma) [0-9]+5 /",
    "BEGIN { for (i = 0; i < 300000; i++) s += i * 2; print s }",
)


def lines_of(count: int) -> bytes:
    """Return lines of four fields."""
    source = random.Random(1)
    return "".join(
        f"{source.choice(['alpha', 'beta', 'gamma'])} {number} {source.random() * 1000:.2f}"
        f" {source.choice('xyz')}\n"
        for number in range(count)
    ).encode()


def run(*, quick: bool) -> None:
    data = lines_of(20_000 if quick else 200_000)
    with tempfile.TemporaryDirectory() as directory, Workspace.memory() as workspace:
        workspace.write("/data", data)
        path = Path(directory) / "data"
        path.write_bytes(data)
        with workspace.shell() as shell:
            shell.run("awk 1 /dev/null")
            engine = _bashkit(data)
            rows = []
            for program in PROGRAMS:
                line = f"awk {shlex.quote(program)} /data > /dev/null"
                contenders: dict[str, Callable[[int], object]] = {
                    "vshell": lambda _, line=line: shell.run(line)  # type: ignore[misc]
                }
                for name in ("mawk", "gawk"):
                    if shutil.which(name):
                        contenders[name] = _process(name, program, path)
                contenders["bashkit"] = lambda _, line=line: engine(line)  # type: ignore[misc]
                target = {"mawk": 1 / 5, "bashkit": 1 / 3}
                rows.append(
                    interleave(f"`{program}`", contenders, rounds=3 if quick else 7, target=target)
                )
    print_table(f"awk, {data.count(bytes([10])):,} lines", rows)


def _process(name: str, program: str, path: Path) -> Callable[[int], object]:
    words = [name, program, str(path)]
    return lambda _: subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def _bashkit(data: bytes) -> Callable[[str], object]:
    from bashkit import Bash

    engine = Bash()
    engine.fs().write_file("/tmp/data", data)
    return lambda line: engine.execute_sync(line.replace("/data", "/tmp/data"))

"""Scripts in each engine, beside processes of node and deno, and `exec` as the floor.

Three things are timed: a fresh start with a trivial result, one call of the host, and
collecting the TODO comments of 1,000 files with one call for each file and with one for
all. `exec` has no sandbox at all: it is what the calls themselves cost. Node and deno
are started for each script, and read the same files from a directory.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.harness import Row, interleave, readable
from vshell import Workspace
from vshell.script.pool import ENGINES, scripts_of
from vshell.script.run import run as run_script

FILES = 1000
PYTHON_SCAN = """
import re
results = []
for file in state.glob("src/**/*.ts"):
    todos = re.findall("// TODO:.*", state.read_file(file))
    if todos:
        results.append({"file": file, "todos": todos})
results
"""
PYTHON_BULK = """
import re
results = []
for file, text in state.read_files("src/**/*.ts").items():
    todos = re.findall("// TODO:.*", text)
    if todos:
        results.append({"file": file, "todos": todos})
results
"""
PYTHON_CALLS = "[state.exists('/src') for _ in range({count})][-1]"
JAVASCRIPT_SCAN = """async () => {
  const results = [];
  for (const file of await state.glob("src/**/*.ts")) {
    const todos = (await state.readFile(file)).match(/\\/\\/ TODO:.*/g);
    if (todos) results.push({ file, todos });
  }
  return results;
}"""
JAVASCRIPT_BULK = """async () => {
  const results = [];
  for (const [file, text] of Object.entries(await state.readFiles("src/**/*.ts"))) {
    const todos = text.match(/\\/\\/ TODO:.*/g);
    if (todos) results.push({ file, todos });
  }
  return results;
}"""
JAVASCRIPT_CALLS = (
    "async () => {{ let last; for (let i = 0; i < {count}; i++)"
    ' last = await state.exists("/src"); return last; }}'
)
NODE_SCAN = """
import { readdirSync, readFileSync } from "node:fs";
const results = [];
for (const entry of readdirSync("src", { recursive: true, withFileTypes: true })) {
  if (!entry.name.endsWith(".ts")) continue;
  const file = (entry.parentPath ?? entry.path) + "/" + entry.name;
  const todos = readFileSync(file, "utf8").match(/\\/\\/ TODO:.*/g);
  if (todos) results.push({ file, todos });
}
console.log(JSON.stringify(results));
"""
SOURCES = {
    "python": ("1 + 1", PYTHON_CALLS, PYTHON_SCAN, PYTHON_BULK),
    "javascript": ("1 + 1", JAVASCRIPT_CALLS, JAVASCRIPT_SCAN, JAVASCRIPT_BULK),
}


def run(*, quick: bool) -> None:
    rounds = 3 if quick else 30
    calls = 200 if quick else 1000
    with tempfile.TemporaryDirectory(prefix="vshell-bench-") as name:
        directory = Path(name)
        with Workspace.open(directory / "bench.db") as workspace:
            fill(workspace, directory)
            contenders = dict(engines(workspace))
            rows = [
                _row("fresh start, trivial result", contenders, 0, rounds),
                _calls(contenders, calls, rounds),
                _row(f"TODO scan of {FILES} files, one call each", contenders, 2, rounds),
                _row(f"TODO scan of {FILES} files, one call", contenders, 3, rounds),
            ]
            outside = beside(directory, rounds)
    memory()
    print_rows(rows, outside)


Contender = Callable[[int, int], object]
"""Runs the source of that number, or of calls so many as the second number says."""


def fill(workspace: Workspace, directory: Path) -> None:
    """Make the files, in the workspace and in a directory."""
    with workspace.transaction():
        for number in range(FILES):
            text = f"export const n{number} = {number};\n// TODO: look at {number}\n" * 4
            workspace.write(f"/src/d{number % 40}/f{number}.ts", text)
    workspace.export_directory("/src", directory / "src")


def engines(workspace: Workspace) -> Iterator[tuple[str, Contender]]:
    """Yield what runs the sources, by name: each engine that works here, and `exec`."""
    scripts = scripts_of(workspace.files)
    for name, (_, language) in ENGINES.items():
        reason = scripts.engine(name).available()
        if reason is not None:
            print(f"{name}: {reason.reason}")
            continue

        def in_engine(
            number: int, count: int, name: str = name, language: str = language
        ) -> object:
            source = SOURCES[language][number]
            source = source.format(count=count) if number == 1 else source
            result = run_script(workspace, source, engine=name, language=language)
            assert result.status == "ok", result.error
            return result.value

        yield name, in_engine

    def floor(number: int, count: int) -> object:
        source = SOURCES["python"][number]
        *body, last = (source.format(count=count) if number == 1 else source).strip().split("\n")
        names = {"state": workspace.state}
        exec("\n".join(body), names)
        return eval(last, names)

    yield "exec", floor


def _timed(call: Contender, number: int, count: int) -> Callable[[int], object]:
    return lambda _: call(number, count)


def _row(name: str, contenders: dict[str, Contender], number: int, rounds: int) -> Row:
    for contender in contenders.values():
        contender(number, 0)  # what is warm in a server is warm here
    return interleave(
        name,
        {each: _timed(call, number, 0) for each, call in contenders.items()},
        rounds=rounds,
    )


def _calls(contenders: dict[str, Contender], count: int, rounds: int) -> Row:
    """Time many calls, and take off what a run without any takes."""
    many = interleave(
        "one call of the host",
        {each: _timed(call, 1, count) for each, call in contenders.items()},
        rounds=max(3, rounds // 3),
    )
    one = interleave(
        "",
        {each: _timed(call, 1, 1) for each, call in contenders.items()},
        rounds=max(3, rounds // 3),
    )
    for each in many.seconds:
        many.seconds[each] = max(0.0, many.seconds[each] - one.seconds[each]) / (count - 1)
    return many


def beside(directory: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return how long other runtimes take to start with a trivial result, and for the scan."""
    found: dict[str, tuple[float, float]] = {}
    (directory / "trivial.mjs").write_text("console.log(1 + 1)")
    (directory / "scan.mjs").write_text(NODE_SCAN)
    for name, words in {"node": ["node"], "deno": ["deno", "run", "--allow-read"]}.items():
        if shutil.which(words[0]) is None:
            print(f"{name}: it is not installed")
            continue
        times = [
            statistics.median(_process([*words, file], directory) for _ in range(min(rounds, 7)))
            for file in ("trivial.mjs", "scan.mjs")
        ]
        found[name] = (times[0], times[1])
    return found


def _process(words: list[str], directory: Path) -> float:
    start = time.perf_counter()
    subprocess.run(words, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def memory() -> None:
    """Print what one run takes while it waits, and how much stays of 200 runs: nothing should."""
    for name, (_, language) in ENGINES.items():
        # With no other workspace open, no other engine has processes.
        with Workspace.memory() as workspace:
            if scripts_of(workspace.files).engine(name).available() is not None:
                continue
            _print_memory(workspace, name, language)


def _print_memory(workspace: Workspace, name: str, language: str) -> None:
    taken: list[int] = []
    waits = {"wait": lambda: taken.append(max(map(_own_bytes, _leaves()), default=0))}
    source = {"python": "wait()", "javascript": "async () => { await wait(); }"}[language]
    for _ in range(3):
        run_script(workspace, source, engine=name, language=language, functions=waits)
    before = _resident()
    for _ in range(200):
        run_script(workspace, "1 + 1", engine=name, language=language)
    print(
        f"{name}: a run that waits has {taken[-1] / 1024**2:.1f} MiB of its own;"
        f" the host grew by {(_resident() - before) / 1024:.0f} KiB in 200 runs"
    )


def _leaves() -> list[int]:
    """Return the processes below this one that have none below them: scripts run in such."""
    found, pending = [], [os.getpid()]
    while pending:
        process = pending.pop()
        task = Path(f"/proc/{process}/task")
        children = [
            int(child) for thread in task.glob("*/children") for child in thread.read_text().split()
        ]
        pending += children
        if not children:
            found.append(process)
    return found


def _own_bytes(process: int) -> int:
    """Return how much memory a process has written to."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty"))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def print_rows(rows: list[Row], outside: dict[str, tuple[float, float]]) -> None:
    """Print medians, a column for each contender.

    A ratio is a contender's time over ours: `exec` over CPython in the jail, node and deno over
    QuickJS.
    """
    names = [*rows[0].seconds, *outside]
    print("\n### Scripts\n\n| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for number, row in enumerate(rows):
        cells = [
            _beside(seconds, row.seconds.get("cpython")) if name == "exec" else readable(seconds)
            for name, seconds in row.seconds.items()
        ]
        for trivial, scan in outside.values():
            seconds = trivial if number == 0 else scan if number == 2 else None
            cells.append(_beside(seconds, row.seconds.get("quickjs")))
        print(f"| {row.name} | " + " | ".join(cells) + " |")


def _beside(seconds: float | None, ours: float | None) -> str:
    if seconds is None or not ours:
        return "" if seconds is None else readable(seconds)
    return f"{readable(seconds)} ({seconds / ours:.2g}x)"

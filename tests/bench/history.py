"""Snapshots, undo, forks and comparisons, beside git on the same tree; and a long life."""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench.harness import Row, print_table, readable
from tests.bench.storage import real_tree
from vshell import Workspace

EDITED = 500


def run(*, quick: bool) -> None:
    files, rounds = (300, 2) if quick else (4000, 9)
    with tempfile.TemporaryDirectory(prefix="vshell-bench-") as name:
        directory = Path(name)
        source = real_tree(directory / "tree", files)
        duels = beside_git(directory, source, min(EDITED, files // 2), rounds)
        print_table(f"History of {files} files", [duel.row() for duel in duels])
        print_table("The same, processor time", [duel.processor_row() for duel in duels])
        long_life(directory, operations=3000 if quick else 200_000, keep=500 if quick else 10_000)
        collection(directory, revisions=3000 if quick else 100_000)


class Git:
    """A repository with the same files."""

    def __init__(self, source: Path, place: Path) -> None:
        self.tree = place / "git"
        shutil.copytree(source, self.tree)
        self._environment = os.environ | {
            f"GIT_{who}_{what}": "bench@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        self("init", "--quiet")
        self.commit()

    def __call__(self, *words: str) -> None:
        subprocess.run(
            ["git", *words],
            cwd=self.tree,
            env=self._environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def commit(self) -> None:
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", "state")

    def edit(self, names: list[str], text: str) -> None:
        for name in names:
            with open(self.tree / name, "a") as file:
                file.write(text)


def beside_git(directory: Path, source: Path, edited: int, rounds: int) -> list[Duel]:
    git = Git(source, directory)
    workspace = Workspace.open(directory / "history.db")
    workspace.import_directory(str(source))
    paths = [entry.path for entry in workspace.files.walk("/") if entry.kind == 1]
    chosen = sorted(random.Random(1).sample(paths, edited))
    names = [path.lstrip("/") for path in chosen]

    def edit(number: int) -> None:
        with workspace.transaction():
            for path in chosen:
                workspace.append(path, f"# edit {number}\n")
        git.edit(names, f"# edit {number}\n")

    duels: list[Duel] = [
        # First, while both have the tree and little history: a fork copies all of it.
        Duel(
            "fork / git worktree add",
            lambda number: workspace.fork(directory / f"fork{number}.db").close(),
            lambda number: git("worktree", "add", "--quiet", "--detach", f"../worktree{number}"),
        ),
        Duel(
            "snapshot / git add + commit, nothing changed",
            lambda number: workspace.snapshot(f"state {number}"),
            lambda _: git.commit(),
        ),
        Duel(
            f"undo of an edit of {edited} files / git checkout -- .",
            lambda _: workspace.undo(),
            lambda _: git("checkout", "--quiet", "--", "."),
            edit,
        ),
    ]
    for duel in duels:
        duel.fight(rounds)
    workspace.snapshot("before")
    edit(99)
    workspace.snapshot("after")
    git.commit()
    comparison = Duel(
        "compare two snapshots / git diff --stat HEAD~1",
        lambda _: workspace.compare("before", "after"),
        lambda _: git("diff", "--stat", "HEAD~1", "HEAD"),
    )
    comparison.fight(rounds)
    workspace.close()
    return [*duels, comparison]


class Duel:
    """One thing done by both in turns, with the time that it takes and the processor's time.

    The first is what people wait for, and what noise of other programs is in; the second
    is nearly the same in each run.
    """

    def __init__(
        self,
        name: str,
        ours: Callable[[int], object],
        git: Callable[[int], object],
        prepare: Callable[[int], object] | None = None,
    ) -> None:
        self.name = name
        self._prepare = prepare
        self._contenders = {"vshell": (ours, time.process_time), "git": (git, _time_of_children)}
        self._times: dict[str, list[float]] = {name: [] for name in self._contenders}
        self._processor_times: dict[str, list[float]] = {name: [] for name in self._contenders}

    def fight(self, rounds: int) -> None:
        for number in range(rounds):
            if self._prepare is not None:
                self._prepare(number)
            for name, (call, clock) in self._contenders.items():
                before = clock()
                self._times[name].append(timed(partial(call, number)))
                self._processor_times[name].append(clock() - before)

    def row(self) -> Row:
        return Row(self.name, _medians(self._times), {"git": 10})

    def processor_row(self) -> Row:
        return Row(self.name, _medians(self._processor_times), {"git": 10})


def _medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(found) for name, found in times.items()}


def _time_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def long_life(directory: Path, *, operations: int, keep: int) -> None:
    """Print how size and speed develop while history is kept to some revisions."""
    rng = random.Random(1)
    print(f"\n### {operations} operations, history kept to {keep} revisions, gc every {keep}\n")
    print("| operations | median write | median read | gc | database | content | journal rows |")
    print("|---|---|---|---|---|---|---|")
    with Workspace.open(directory / "long.db") as workspace:
        workspace.keep_history(revisions=keep)
        writes: list[float] = []
        reads: list[float] = []
        collections: list[float] = []
        for number in range(1, operations + 1):
            path = f"/d{rng.randrange(20)}/f{rng.randrange(100)}"
            data = rng.randbytes(2048)
            writes.append(timed(lambda path=path, data=data: workspace.write(path, data)))  # type: ignore[misc]
            reads.append(timed(lambda path=path: workspace.read_bytes(path)))  # type: ignore[misc]
            if number % keep == 0:
                collections.append(timed(workspace.gc))
            if number % (operations // 10) == 0:
                usage = workspace.usage()
                print(
                    f"| {number} | {readable(statistics.median(writes))}"
                    f" | {readable(statistics.median(reads))}"
                    f" | {readable(statistics.median(collections or [0]))}"
                    f" | {usage.database_bytes / 1e6:.1f} MB | {usage.content_bytes / 1e6:.1f} MB"
                    f" | {usage.journal_rows} |"
                )
                for measured in (writes, reads, collections):
                    measured.clear()


def collection(directory: Path, *, revisions: int) -> None:
    """Print how long a collection of a long history takes, and how long others wait for it."""
    rng = random.Random(1)
    with Workspace.open(directory / "collected.db") as workspace:
        for number in range(revisions):
            workspace.write(f"/f{number % 2000}", rng.randbytes(500))
        waits: list[float] = []
        with Workspace.open(directory / "collected.db") as other, ThreadPoolExecutor(1) as pool:
            collecting = pool.submit(workspace.gc, keep_revisions=revisions // 100)
            while not collecting.done():
                waits.append(timed(lambda: other.write("/other", rng.randbytes(100))))
                time.sleep(0.001)
            found = collecting.result()
    print(
        f"\ngc of {found.journal_rows} changes and {found.contents} contents; meanwhile another"
        f" connection wrote {len(waits)} times and waited {readable(max(waits))} at most,"
        f" {readable(statistics.median(waits))} in the median"
    )

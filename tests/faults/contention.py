"""Many processes and threads on one workspace: nothing is lost, torn, stale or starved.

Every worker mixes what agents do. It counts up by compare-and-swap and inside
transactions; it moves money between accounts, and a token between directories, in one
transaction; and it reads, inside `reading()` and from the caches, what must add up. At the
end the counters say whether an update was lost, and the journal whether each commit was
one revision.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.findings import Findings
from tests.faults.scene import scratch
from tests.processes import Child
from vshell.errors import NotFoundError, StaleError, VshellError
from vshell.session import Session
from vshell.workspace import Workspace

PROCESSES: Final = 8
THREADS: Final = 16
LONGEST_WAIT_S: Final = 2.0

KINDS: Final = (
    "processes",
    "threads",
    "long transactions of processes",
    "long transactions of threads",
)
"""8 processes with two threads each; 16 threads, half of them on one handle; and both again,
with nothing but transactions of many writes, one right after the other."""

_LONG: Final = 100
_ACCOUNTS: Final = 5
_BALANCE: Final = 100
_COUNTERS: Final = 3
_TREES: Final = 3
_LEAVES: Final = 5
_LEFT: Final = "/left/token"
_RIGHT: Final = "/right/token"


@dataclass
class Tally:
    """What one worker did and saw.

    Attributes:
        counted: How often it counted each counter up.
        commits: How many transactions it committed.
        done: How often it did what.
        waits: How long it waited for its turn to write, in seconds.
        failures: What was not as it must be.
    """

    counted: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    done: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Worker:
    """Does some operations, chosen by chance.

    Args:
        workspace: A handle of its own, or one that it shares with other threads.
        name: Stands in the journal.
        seed: Chooses the operations.
    """

    def __init__(self, workspace: Workspace, name: str, seed: str) -> None:
        self._session: Session = workspace.session(name)
        self._chance = random.Random(seed)
        self._versions: dict[str, int] = {}
        self.tally = Tally()

    def work(self, operations: int) -> None:
        kinds: dict[Callable[[], None], float] = {
            self._swap: 3,
            self._count: 3,
            self._move_money: 3,
            self._move_token: 1,
            self._replace_tree: 1,
            self._collect: 0.5,
            self._vacuum: 0.05,
            self._search_tree: 1,
            self._read_together: 4,
            self._read_between: 4,
            self._read_one: 12,
        }
        chosen = self._chance.choices(list(kinds), list(kinds.values()), k=operations)
        try:
            for kind in chosen:
                kind()
                self.tally.done[kind.__name__.strip("_").replace("_", " ")] += 1
        except VshellError as error:
            self.tally.failures.append(f"{kind.__name__}: {error!r}")

    # Writing.

    def _swap(self) -> None:
        path = f"/swapped/{self._chance.randrange(_COUNTERS)}"
        while True:
            found = self._session.read(path)
            try:
                started = time.monotonic()
                self._session.write(path, str(int(found.text) + 1), expected_version=found.version)
            except StaleError:
                self.tally.done["swaps that came too late"] += 1
                continue
            finally:
                self.tally.waits.append(time.monotonic() - started)
            break
        self._committed()
        self.tally.counted[path] += 1

    def _count(self) -> None:
        path = f"/counted/{self._chance.randrange(_COUNTERS)}"
        started = time.monotonic()
        with self._session.transaction():
            self.tally.waits.append(time.monotonic() - started)
            self._session.write(path, str(int(self._session.read_text(path)) + 1))
        self._committed()
        self.tally.counted[path] += 1

    def _move_money(self) -> None:
        source, target = self._chance.sample(range(_ACCOUNTS), 2)
        amount = self._chance.randint(1, 9)
        started = time.monotonic()
        with self._session.transaction():
            self.tally.waits.append(time.monotonic() - started)
            for account, change in ((source, -amount), (target, amount)):
                path = f"/accounts/{account}"
                self._session.write(path, str(int(self._session.read_text(path)) + change))
        self._committed()

    def _move_token(self) -> None:
        started = time.monotonic()
        with self._session.transaction():
            self.tally.waits.append(time.monotonic() - started)
            there = self._session.exists(_LEFT)
            self._session.mv(*((_LEFT, _RIGHT) if there else (_RIGHT, _LEFT)))
        self._committed()

    def _replace_tree(self) -> None:
        """Put a copy of a directory in its place: its files go, and others come, at once."""
        path = f"/trees/{self._chance.randrange(_TREES)}"
        started = time.monotonic()
        with self._session.transaction():
            self.tally.waits.append(time.monotonic() - started)
            self._session.cp(path, "/copy", recursive=True)
            self._session.rm(path, recursive=True)
            self._session.mv("/copy", path)
        self._committed()

    def _collect(self) -> None:
        self._session.gc(keep_revisions=5)

    def _vacuum(self) -> None:
        self._session.vacuum()

    def _committed(self) -> None:
        self.tally.commits += 1

    # Reading.

    def _read_together(self) -> None:
        with self._session.files.reading():
            self._check_sums("inside reading()")
            self._check_sums("inside reading(), again")

    def _read_between(self) -> None:
        """Read by several calls, which count only if nobody committed meanwhile."""
        files = self._session.files
        before = files.revision()
        try:
            total, tokens = self._sums()
        except NotFoundError:
            return
        if files.revision() == before:
            self.tally.done["readings that nobody disturbed"] += 1
            self._require_sums(total, tokens, "by cached reads")

    def _check_sums(self, where: str) -> None:
        self._require_sums(*self._sums(), where)

    def _sums(self) -> tuple[int, int]:
        session = self._session
        names = [entry.path for entry in session.ls("/accounts").entries]
        return (
            sum(int(session.read_text(path)) for path in names),
            session.exists(_LEFT) + session.exists(_RIGHT),
        )

    def _require_sums(self, total: int, tokens: int, where: str) -> None:
        if total != _ACCOUNTS * _BALANCE:
            self.tally.failures.append(f"{where}: the accounts hold {total}")
        if tokens != 1:
            self.tally.failures.append(f"{where}: there are {tokens} tokens")

    def _search_tree(self) -> None:
        """List and search by one call each, which must see all trees whole."""
        found = self._session.find("/trees", kind="file", name="leaf*").entries
        if len(found) != _TREES * _LEAVES:
            self.tally.failures.append(f"find sees {len(found)} files")
        matched = self._session.grep("needle", path="/trees", mode="files").files
        if len(matched) != _TREES * _LEAVES:
            self.tally.failures.append(f"grep sees {len(matched)} files")
        names = [entry.path for entry in self._session.files.walk("/trees")]
        if len(names) != _TREES * (_LEAVES + 2):
            self.tally.failures.append(f"a walk sees {len(names)} entries")

    def _read_one(self) -> None:
        """Read a file, whose version must never go back."""
        path = f"/counted/{self._chance.randrange(_COUNTERS)}"
        data, stat = self._session.files.read_with_stat(path)
        version = self._session.stat(path).version
        if len(data) != stat.size:
            self.tally.failures.append(f"{path} has {len(data)} bytes, and says {stat.size}")
        if not self._versions.get(path, 0) <= stat.version <= version:
            self.tally.failures.append(f"{path} went back to version {stat.version}")
        self._versions[path] = version


def _prepare(path: Path) -> int:
    with Workspace.open(path) as workspace, workspace.transaction():
        for index in range(_COUNTERS):
            workspace.write(f"/swapped/{index}", "0")
            workspace.write(f"/counted/{index}", "0")
        for index in range(_ACCOUNTS):
            workspace.write(f"/accounts/{index}", str(_BALANCE))
        workspace.write(_LEFT, "token")
        workspace.mkdir("/right")
        for tree in range(_TREES):
            for leaf in range(_LEAVES):
                workspace.write(f"/trees/{tree}/below/leaf-{leaf}", f"a needle in {leaf}")
    with Workspace.open(path) as workspace:
        return workspace.files.revision()


def _threads(path: Path, seed: str, threads: int, operations: int) -> list[Tally]:
    """Let threads work, half of them on one handle, the others on one each."""
    shared = Workspace.open(path)
    handles = [
        shared if index < (threads + 1) // 2 else Workspace.open(path) for index in range(threads)
    ]
    workers = [
        Worker(handle, f"{seed}-{index}", f"{seed}/{index}") for index, handle in enumerate(handles)
    ]
    running = [
        threading.Thread(target=worker.work, args=(operations,), daemon=True) for worker in workers
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for handle in {id(handle): handle for handle in handles}.values():
        handle.close()
    return [worker.tally for worker in workers]


def _processes(path: Path, seed: str, processes: int, operations: int) -> list[Tally]:
    """Let processes work, each with two threads."""

    def work(index: int) -> Callable[[], list[Tally]]:
        return lambda: _threads(path, f"{seed}/{index}", 2, operations)

    children = [Child(work(index)) for index in range(processes)]
    return [tally for child in children for tally in child.result()]


def _judge(path: Path, begin: int, tallies: list[Tally], findings: Findings, kind: str) -> None:
    """Compare what the workers say with what is there."""
    counted: Counter[str] = Counter()
    commits = 0
    longest_s = 0.0
    for tally in tallies:
        counted += tally.counted
        commits += tally.commits
        findings.counts += Counter({f"{kind}: {what}": count for what, count in tally.done.items()})
        findings.failures += tally.failures
        longest_s = max(longest_s, *tally.waits)
    findings.counts[f"{kind}: commits"] += commits
    findings.counts[f"{kind}: longest wait for a turn, in ms"] += round(longest_s * 1000)
    with Workspace.open(path) as workspace:
        report = workspace.check()
        expectations = [
            (report.ok, f"damaged: {report.problems}"),
            (longest_s < LONGEST_WAIT_S, f"a writer waited {longest_s:.1f} s"),
            (workspace.files.revision() - begin == commits, "a commit is no revision of its own"),
            *(
                (int(workspace.read_text(file)) == times, f"{file} lost an update")
                for file, times in counted.items()
            ),
        ]
    findings.failures += [f"{kind}: {message}" for holds, message in expectations if not holds]


# Long transactions, one right after the other.


def _write_without_pause(workspace: Workspace, seconds: float) -> Tally:
    tally = Tally()
    end = time.monotonic() + seconds
    while (started := time.monotonic()) < end:
        with workspace.transaction():
            tally.waits.append(time.monotonic() - started)
            for index in range(_LONG):
                workspace.write(f"/long/{index}", str(started))
        tally.commits += 1
    return tally


def _long_threads(path: Path, seconds: float) -> list[Tally]:
    tallies: list[Tally] = []
    with Workspace.open(path) as workspace:
        threads = [
            threading.Thread(
                target=lambda: tallies.append(_write_without_pause(workspace, seconds)), daemon=True
            )
            for _ in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return tallies


def _long_processes(path: Path, seconds: float) -> list[Tally]:
    def work() -> Tally:
        with Workspace.open(path) as workspace:
            return _write_without_pause(workspace, seconds)

    children = [Child(work) for _ in range(PROCESSES)]
    return [child.result() for child in children]


def run(
    *, count: int, seed: int = 0, kinds: Collection[str] = KINDS, seconds: float = 5.0
) -> Findings:
    """Put workers on one workspace, in each of the ways that are named.

    Args:
        count: How many operations the mixed workers of one way do together, about.
        seed: Chooses the operations.
        kinds: The ways; see `KINDS`.
        seconds: How long the long transactions go on.
    """
    findings = Findings(seed)
    each = max(1, count // (2 * PROCESSES))
    for kind in kinds:
        with scratch() as directory:
            path = directory / "agent.db"
            begin = _prepare(path)
            if kind == "processes":
                tallies = _processes(path, str(seed), PROCESSES, each)
            elif kind == "threads":
                tallies = _threads(path, str(seed), THREADS, each)
            elif kind == "long transactions of processes":
                tallies = _long_processes(path, seconds)
            else:
                tallies = _long_threads(path, seconds)
            _judge(path, begin, tallies, findings, kind)
    return findings

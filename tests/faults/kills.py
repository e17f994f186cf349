"""Processes are killed: what they were told is done is there, and the rest is not half there.

Killed at random: a child performs one operation after another and reports each when it is
done. It gets SIGKILL at some moment, and the rows must be those after the last reported
operation, or after the next one. What they must be is known from a second workspace, on
which the same operations are done in peace. Half of the times another process has the
workspace open all the while, and must see the same.

Killed at a call: a child kills itself right before it opens, reads, writes, locks or syncs
for the n-th time, or in the middle of a write: while it opens, migrates, imports, undoes,
vacuums and so on.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.actions import act, fingerprint, name_of, open_workspace
from tests.faults.faulty import FaultPlan, faulty_file_system
from tests.faults.findings import FailedProofError, Findings, require
from tests.faults.scene import STEPS, Scene, Step, copy_files, make_source, scratch
from tests.fs.workspaces import snapshot
from tests.processes import Child
from vshell.errors import VshellError
from vshell.fs.database import Durability
from vshell.workspace import Workspace

_FIRST_FORMAT: Final = Path(__file__).parents[2] / "fixtures" / "schema" / "v1.db"
_NUMBER_BYTES: Final = 4
_OPERATIONS_OF_ONE: Final = 12
"""How many operations a child reports before its end is near, at most."""
_GRACE_S: Final = 0.006
_LIFE_S: Final = 60.0
_KILLS_OF_ONE: Final = 15
"""After so many kills both workspaces are made anew: a larger one is only slower."""


# Killed at random.


def _perform(path: Path, durability: Durability, seed: int, first: int, output: int) -> None:
    workspace = open_workspace(path, durability=durability, checkpoint_pages=100)
    number = first
    while True:
        act(workspace, seed, number)
        os.write(output, number.to_bytes(_NUMBER_BYTES, "big"))
        number += 1


def _kill_one(
    path: Path, durability: Durability, seed: int, first: int, chance: random.Random
) -> int:
    """Let a child perform operations from this one on, and kill it; return how many it reported."""
    reader, writer = os.pipe()
    try:
        child = Child(lambda: _perform(path, durability, seed, first, writer))
        os.close(writer)
        deadline = time.monotonic() + _LIFE_S
        reported = b""
        enough = chance.randint(0, _OPERATIONS_OF_ONE) * _NUMBER_BYTES
        while len(reported) < enough and select.select([reader], [], [], _LIFE_S)[0]:
            piece = os.read(reader, enough - len(reported))
            if not piece:
                child.result()  # it has ended by itself, which is an error: raise it
            reported += piece
            require(time.monotonic() < deadline, "the child hangs")
        time.sleep(chance.random() * _GRACE_S)
        child.kill()
        while piece := os.read(reader, 4096):
            reported += piece
    finally:
        os.close(reader)
    return len(reported) // _NUMBER_BYTES


@dataclass
class _Pair:
    """A workspace whose processes are killed, and one on which the same is done in peace."""

    path: Path
    quiet: Path
    seed: int
    done: int = 0

    def advance(self, count: int) -> None:
        with open_workspace(self.quiet) as workspace:
            for _ in range(count):
                act(workspace, self.seed, self.done)
                self.done += 1


def _check_pair(pair: _Pair, reported: int) -> bool:
    """Compare the two after a kill; return whether what was under way was done.

    Raises:
        FailedProofError: They are not the same.
    """
    with Workspace.open(pair.path, create=False) as workspace:
        report = workspace.check()
    require(report.ok, f"damaged: {report.problems}")
    state = fingerprint(pair.path)
    pair.advance(reported)
    if state == fingerprint(pair.quiet):
        return False
    under_way = name_of(pair.seed, pair.done)
    pair.advance(1)
    same = state == fingerprint(pair.quiet)
    require(same, f"neither before nor after operation {pair.done - 1} ({under_way})")
    return True


def _random_kills(count: int, seed: int) -> Findings:
    findings = Findings(seed)
    chance = random.Random(f"{seed}/kills")
    for start in range(0, count, _KILLS_OF_ONE):
        durability: Durability = chance.choice(("process", "power"))
        with scratch() as directory:
            pair = _Pair(directory / "agent.db", directory / "quiet.db", chance.randrange(1 << 32))
            for path in (pair.path, pair.quiet):
                open_workspace(path).close()
            beside = start // _KILLS_OF_ONE % 2 == 0
            observer = Workspace.open(pair.path) if beside else None
            try:
                for _ in range(min(_KILLS_OF_ONE, count - start)):
                    _kill_and_check(pair, durability, observer, chance, findings)
            except (FailedProofError, VshellError) as failure:
                findings.failures.append(f"operations of seed {pair.seed}: {failure!r}")
            finally:
                if observer is not None:
                    observer.close()
    return findings


def _kill_and_check(
    pair: _Pair,
    durability: Durability,
    observer: Workspace | None,
    chance: random.Random,
    findings: Findings,
) -> None:
    reported = _kill_one(pair.path, durability, pair.seed, pair.done, chance)
    findings.counts["kills at random"] += 1
    findings.counts["operations reported before"] += reported
    if observer is not None:
        seen = snapshot(observer.files)
    if _check_pair(pair, reported):
        findings.counts["operations done, but not reported"] += 1
    if observer is not None:
        with Workspace.open(pair.path, create=False) as fresh:
            require(seen == snapshot(fresh.files), "another process sees something else")
        findings.counts["kills beside an open workspace"] += 1


# Killed at a call.


class KillPlan(FaultPlan):
    """Kills the process at a call, or in the middle of a write.

    Args:
        number: At which call of all; 0 for none.
        torn: If it is a write, in its middle.
    """

    def __init__(self, number: int = 0, *, torn: bool = False) -> None:
        super().__init__()
        self._number = number
        self._torn = torn

    def strikes(self, call: str) -> str | None:
        if not self.active:
            return None
        self.calls[call] += 1
        if self.calls.total() == self._number:
            if self._torn and call in ("write", "log write"):
                return "torn"
            self.torn()
        return None

    def torn(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class _Moment:
    """A step of the scripted day, what it begins with, and what its rows are before and after."""

    name: str
    step: Step
    files: Path
    before: dict[str, str] | None
    after: dict[str, str]
    calls: int


def _moments(directory: Path) -> list[_Moment]:
    """Go through the scripted day, and keep what each step begins with."""
    found: list[_Moment] = []
    plan = KillPlan()
    with faulty_file_system(plan):
        day = Scene(directory, plan)
        make_source(directory / "source")
        before = None
        for index, (name, step) in enumerate(STEPS):
            files = directory / f"before-{index}"
            files.mkdir()
            copy_files(directory, files)
            step(day)
            after = fingerprint(day.path)
            calls = _count_calls(files, step, plan)
            found.append(_Moment(name, step, files, before, after, calls))
            before = after
        day.remove()
        found.append(_migration(directory, plan))
    return found


def _migration(directory: Path, plan: FaultPlan) -> _Moment:
    files = directory / "first-format"
    files.mkdir()
    shutil.copyfile(_FIRST_FORMAT, files / "agent.db")
    migrated = Scene(directory, plan)
    copy_files(files, directory)
    before = fingerprint(migrated.path)
    migrated.open()
    after = fingerprint(migrated.path)
    migrated.remove()
    return _Moment(
        "migrate", Scene.open, files, before, after, _count_calls(files, Scene.open, plan)
    )


def _count_calls(files: Path, step: Step, plan: FaultPlan) -> int:
    with scratch() as directory:
        copy_files(files, directory)
        plan.arm(None)
        scene = Scene(directory, plan)
        with plan.on():
            _open_and_do(scene, step)
        scene.remove()
    return plan.calls.total()


def _open_and_do(scene: Scene, step: Step) -> None:
    if step is not Scene.open:
        scene.open()
    step(scene)


def _kill_at(moment: _Moment, number: int, *, torn: bool, source: Path) -> bool:
    """Kill a child in a step; return whether the step was done.

    Raises:
        FailedProofError: It was done by half.
    """
    with scratch() as directory:
        copy_files(moment.files, directory)
        shutil.copytree(source, directory / "source")

        def work() -> None:
            plan = KillPlan(number, torn=torn)
            with faulty_file_system(plan), plan.on():
                _open_and_do(Scene(directory, plan), moment.step)

        child = Child(work)
        os.waitid(os.P_PID, child.id, os.WEXITED | os.WNOWAIT)
        child.kill()
        path = directory / "agent.db"
        if moment.before is None and not path.exists():
            return False
        with Workspace.open(path, create=False) as workspace:
            report = workspace.check()
            require(report.ok, f"damaged: {report.problems}")
            state = fingerprint(path)
            workspace.write("/after the kill", "it goes on")
    if moment.name == "migrate":
        require(state == moment.after, "the migration is not the same the second time")
    require(state in (moment.before, moment.after), "neither before nor after")
    return state == moment.after


def _kills_at_calls(count: int, seed: int) -> Findings:
    findings = Findings(seed)
    chance = random.Random(f"{seed}/calls")
    with scratch() as directory:
        moments = _moments(directory)
        for index in range(count):
            moment = moments[index % len(moments)]
            number = chance.randint(1, moment.calls)
            torn = chance.random() < 0.5
            findings.counts["kills at a call"] += 1
            try:
                done = _kill_at(moment, number, torn=torn, source=directory / "source")
                findings.counts["steps done, but not reported"] += done
            except (FailedProofError, VshellError) as failure:
                place = f"{moment.name}, call {number} of {moment.calls}, {torn=}"
                findings.failures.append(f"{place}: {failure!r}")
        findings.counts["steps"] = len(moments)
        findings.counts["calls in them"] = sum(moment.calls for moment in moments)
    return findings


def run(*, count: int, seed: int = 0) -> Findings:
    """Kill so many processes, half of them at random and half of them at a call."""
    findings = _random_kills(count - count // 2, seed)
    findings.add(_kills_at_calls(count // 2, seed))
    return findings

"""The power fails: what was acknowledged is there, nothing is half there, nothing has a hole.

A workload runs once, while everything that is written to the files is recorded, and when
each operation was acknowledged. Any number of power cuts can then be made of it: at any
moment, with any part of what was not synced lost, and the workspace opened from what is left.

With `durability="power"`, the rows must be those after the last acknowledged operation, or
after the one that was under way. With `durability="process"` they may be older, but must
be those after some operation: everything up to it, and nothing after it.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.actions import act, fingerprint, open_workspace
from tests.faults.findings import FailedProofError, Findings, require
from tests.faults.recorder import Event, Recorder, recording, survivors
from tests.faults.scene import FORKS_OWN_TABLES, scratch
from vshell.errors import VshellError
from vshell.fs import lineage
from vshell.fs.database import Durability
from vshell.workspace import Workspace

_NAME: Final = "agent.db"
_COPY: Final = "backup.db"
_FORK: Final = "fork.db"
_OPERATIONS: Final = 60
_CUTS_OF_ONE: Final = 100
_REOPENED_EVERY: Final = 17
_COPIED_AT: Final = 23
_SECOND_CUTS: Final = 0.2
_FIRST_FORMAT: Final = Path(__file__).parents[2] / "fixtures" / "schema" / "v1.db"

State = dict[str, str]


@dataclass
class Record:
    """A workload, as it was recorded.

    Attributes:
        events: What happened to the files.
        begin: How many events stand for what was there before.
        ends: How many events there were when each operation was acknowledged.
        states: The rows before the first operation, and after each.
    """

    events: list[Event]
    begin: int = 0
    ends: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)


def record(directory: Path, durability: Durability, seed: int) -> Record:
    """Perform operations by two handles in turn, and record them.

    Every fourth workload begins with a workspace of the first format, which is migrated.
    """
    path = directory / _NAME
    if seed % 4 == 0:
        shutil.copyfile(_FIRST_FORMAT, path)
    recorder = Recorder(directory)
    found = Record(recorder.events, recorder.adopted)

    def acknowledge() -> None:
        found.ends.append(len(recorder.events))
        found.states.append(fingerprint(path))

    chance = random.Random(seed)
    pages = chance.choice((10, 60, 1000))
    with recording(recorder):
        handles = [
            open_workspace(path, durability=durability, checkpoint_pages=pages) for _ in range(2)
        ]
        if durability == "process":
            _flush_new(recorder, path)
            found.begin = len(recorder.events)
        acknowledge()
        # Else the first fork would write it beside the operation that is acknowledged.
        lineage.ensure_workspace_id(handles[0].files, "the workload's")
        acknowledge()
        for number in range(_OPERATIONS):
            act(handles[chance.random() < 0.3], seed, number)
            if number == _COPIED_AT:
                handles[0].backup(directory / _COPY)
                handles[0].fork(directory / _FORK).close()
                if durability == "process":
                    _flush_new(recorder, directory / _FORK)
            if number % _REOPENED_EVERY == 0:
                for handle in handles:
                    handle.close()
                handles = [
                    open_workspace(path, durability=durability, checkpoint_pages=pages)
                    for _ in range(2)
                ]
            acknowledge()
        for handle in handles:
            handle.close()
        acknowledge()
    return found


def _flush_new(recorder: Recorder, path: Path) -> None:
    # A new file comes to the disk when the host finds the time, in seconds.
    recorder.flush(path)


def cut(found: Record, directory: Path, durability: Durability, chance: random.Random) -> str:
    """Cut the power at some moment, and look at what is left; return what was lost.

    Raises:
        FailedProofError: A promise is broken.
    """
    moment = chance.choice(
        (chance.choice(found.ends), chance.randint(found.begin, len(found.events)))
    )
    acknowledged = sum(end <= moment for end in found.ends) - 1
    files = survivors(found.events[:moment], chance)
    _put(directory, files, chance)
    path = directory / _NAME
    if _NAME not in files:
        require(durability == "process" or acknowledged < 0, "the workspace is gone")
        return "no file"
    with Workspace.open(path, create=False, durability=durability) as workspace:
        report = workspace.check()
        require(report.ok, f"damaged: {report.problems}")
        state = fingerprint(path)
        workspace.write("/after the cut", "it goes on")
    _check_copies(found, directory, durability, moment)
    if chance.random() < _SECOND_CUTS:
        cut_again(directory, files, durability, chance)
    possible = [index for index, known in enumerate(found.states) if known == state]
    possible = [index for index in possible if index <= acknowledged + 1]
    require(bool(possible), "the rows are those of no moment")
    if durability == "power":
        lost = f"{acknowledged - max(possible)} acknowledged operations are lost"
        require(max(possible) >= acknowledged, lost)
    if max(possible) > acknowledged:
        return "all, and what was under way"
    return "all" if max(possible) == acknowledged else "fewer"


def cut_again(
    directory: Path, files: dict[str, bytes], durability: Durability, chance: random.Random
) -> None:
    """Cut the power again, while what the first cut left is opened and changed.

    Raises:
        FailedProofError: A promise is broken.
    """
    path = directory / _NAME
    _put(directory, files, chance)
    recorder = Recorder(directory)
    with recording(recorder):
        handle = open_workspace(path, durability=durability, checkpoint_pages=10)
        states = [fingerprint(path)]
        handle.write("/again", chance.randbytes(20_000))
        acknowledged_at = len(recorder.events)
        states.append(fingerprint(path))
        handle.close()
    moment = chance.randint(recorder.adopted, len(recorder.events))
    _put(directory, survivors(recorder.events[:moment], chance), chance)
    with Workspace.open(path, create=False, durability=durability) as workspace:
        report = workspace.check()
    require(report.ok, f"damaged by the second cut: {report.problems}")
    if durability == "power" and moment >= acknowledged_at:
        states = states[1:]
    require(fingerprint(path) in states, "the second cut lost something")


def _check_copies(found: Record, directory: Path, durability: Durability, moment: int) -> None:
    for name, apart in ((_COPY, frozenset[str]()), (_FORK, FORKS_OWN_TABLES)):
        path = directory / name
        is_flushed = moment >= found.ends[_COPIED_AT + 2]
        if path.exists() and (is_flushed or durability == "power" or name == _COPY):
            with Workspace.open(path, create=False) as copy:
                require(copy.check().ok, f"the {name} is damaged")
            state, expected = fingerprint(path), found.states[_COPIED_AT + 2]
            whole = all(state[table] == expected[table] for table in state if table not in apart)
            require(whole, f"the {name} is not whole")
        elif durability == "power":
            require(not is_flushed, f"the {name} is gone")


def _put(directory: Path, files: dict[str, bytes], chance: random.Random) -> None:
    for old in directory.iterdir():
        if old.is_file():
            old.unlink()
    for name, data in files.items():
        (directory / name).write_bytes(data)
    if chance.random() < 0.3:  # nobody may trust a memory that the power cut has outlived
        (directory / f"{_NAME}-shm").write_bytes(chance.randbytes(32768))


def run(*, count: int, seed: int = 0) -> Findings:
    """Cut the power so often, half of the times with each durability."""
    findings = Findings(seed)
    done = 0
    while done < count:
        for durability in ("power", "process"):
            cuts = min(_CUTS_OF_ONE, max(1, (count - done) // 2))
            part = _cuts_of_one(durability, f"{seed}/{done}", cuts)
            findings.add(part)
            done += cuts
    return findings


def _cuts_of_one(durability: Durability, seed: str, cuts: int) -> Findings:
    chance = random.Random(seed)
    number = chance.randrange(1 << 32)
    findings = Findings(number)
    with scratch() as directory:
        before, after = directory / "before", directory / "after"
        before.mkdir()
        after.mkdir()
        found = record(before, durability, number)
        findings.counts["workloads"] += 1
        findings.counts["operations"] += len(found.ends)
        findings.counts["recorded events"] += len(found.events)
        for index in range(cuts):
            try:
                left = cut(found, after, durability, random.Random(f"{seed}/{index}"))
                findings.counts[f"cuts with durability={durability!r}: {left} there"] += 1
            except (FailedProofError, VshellError) as failure:
                findings.failures.append(
                    f"{durability}, workload {number}, cut {index}: {failure!r}"
                )
    return findings

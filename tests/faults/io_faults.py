"""Every file operation of the storage fails: what is left is before or after, never between.

A scripted day in a workspace (`scene.py`) runs first without faults: the rows after each
step are kept, and how often files were opened, read, written, truncated, synced, measured,
locked and deleted. Then it runs again for some of these calls, which fail as a disk fails;
or, to try all of them, each step and the ones after it, from the files that it begins with.
The caller must get an error of ours; the database must hold the rows from before or after
the step, also for a process that finds only what is on the disk; and the same workspace
must go on to the same end.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults.faulty import HOST_CALLS, Fault, FaultPlan, faulty_file_system
from tests.faults.findings import FailedProofError, Findings, require
from tests.faults.scene import STEPS, Rows, Scene, copy_files, make_source, scratch
from tests.fs.workspaces import dump, snapshot
from vshell.errors import (
    OperationTimeoutError,
    QuotaExceededError,
    UnavailableError,
    VshellError,
)
from vshell.workspace import Workspace

_ONCE: Final = (False,)
_BOTH: Final = (False, True)
_HOST_MODES: Final[dict[str, tuple[bool, ...]]] = {"error": _BOTH, "full": _BOTH}
_MODES: Final[dict[str, dict[str, tuple[bool, ...]]]] = {
    "open": {"error": _BOTH},
    "read": {"error": _BOTH, "slow": _ONCE},
    "log read": {"error": _BOTH, "short": _ONCE, "slow": _ONCE},
    "write": {"error": _BOTH, "full": _BOTH, "torn": _ONCE, "slow": _ONCE},
    "log write": {"error": _BOTH, "full": _BOTH, "torn": _ONCE, "slow": _ONCE},
    "truncate": {"error": _BOTH},
    "sync": {"error": _BOTH, "slow": _ONCE},
    "size": {"error": _BOTH},
    "lock": {"error": _BOTH, "busy": _BOTH},
    "delete": {"error": _BOTH},
    "access": {"error": _BOTH},
    # SQLite itself tries a lasting one again for 10 seconds: one test is enough.
    "shared lock": {"busy": _ONCE},
    **{f"host {name}": _HOST_MODES for name in HOST_CALLS},
}
"""How each call can fail, and whether only once or from then on."""

_SLOW_STRIDE: Final = 10
"""A call that takes long changes nothing but the time: every tenth is delayed."""

_EXPECTED: Final[dict[str, tuple[type[VshellError], ...]]] = {
    "error": (UnavailableError,),
    "short": (UnavailableError,),
    "full": (QuotaExceededError, UnavailableError),
    "torn": (QuotaExceededError,),
    "busy": (OperationTimeoutError,),
    "slow": (),
}
_OPENING: Final = {"create", "reopen"}
_FOREIGN_WORDS: Final = ("sqlite", "apsw", "database is", "i/o", "traceback")


_STEPS_AFTER: Final = 3


class Part(NamedTuple):
    """A part of the day.

    Attributes:
        first: Its first step, in which something fails.
        last: The step after its last one.
        files: What it begins with; None: nothing.
        calls: The calls of the first step.
    """

    first: int = 0
    last: int = len(STEPS)
    files: Path | None = None
    calls: Mapping[str, int] = {}


WHOLE_DAY: Final = Part()


class Reference(NamedTuple):
    """What the day is like without faults: the rows after each step, and the calls."""

    states: list[Rows | None]
    calls: Counter[str]


def reference(scene: Scene) -> Reference:
    """Run the day without faults."""
    states: list[Rows | None] = []
    scene.plan.arm(None)
    for _, step in STEPS:
        with scene.plan.on():
            step(scene)
        states.append(scene.state())
    calls = Counter(scene.plan.calls)
    scene.remove()
    return Reference(states, calls)


def parts(scene: Scene, kept: Path) -> list[Part]:
    """Run the day without faults, and keep what each step begins with."""
    found: list[Part] = []
    scene.plan.arm(None)
    for index, (_, step) in enumerate(STEPS):
        files = kept / str(index)
        files.mkdir()
        copy_files(scene.directory, files)
        found.append(Part(index, min(index + 1 + _STEPS_AFTER, len(STEPS)), files))
        step(scene)
    scene.remove()
    return [part._replace(calls=_count_calls(scene, part)) for part in found]


def _count_calls(scene: Scene, part: Part) -> Mapping[str, int]:
    scene.plan.arm(None)
    _begin(scene, part)
    with scene.plan.on():
        STEPS[part.first][1](scene)
    calls = Counter(scene.plan.calls)
    scene.remove()
    return calls


def _begin(scene: Scene, part: Part) -> None:
    if part.files is not None:
        copy_files(part.files, scene.directory)
        if part.first:
            scene.open()


def all_faults(calls: Mapping[str, int]) -> Iterator[Fault]:
    """Yield every fault that can happen in a day with these calls."""
    for call, count in sorted(calls.items()):
        for mode, durations in _MODES[call].items():
            for number in range(1, count + 1, _SLOW_STRIDE if mode == "slow" else 1):
                yield from (Fault(call, number, mode, lasting) for lasting in durations)


def chosen_faults(faults: Iterable[Fault], count: int, seed: int) -> list[Fault]:
    """Return so many faults, as many as possible of each sort."""
    sorts: dict[tuple[str, str, bool], list[Fault]] = defaultdict(list)
    for fault in faults:
        sorts[fault.call, fault.mode, fault.lasting].append(fault)
    source = random.Random(seed)
    for group in sorts.values():
        source.shuffle(group)
    in_turn = chain.from_iterable(zip_longest(*sorts.values()))
    return list(islice((fault for fault in in_turn if fault is not None), count))


def run_fault(scene: Scene, expected: Reference, fault: Fault, part: Part = WHOLE_DAY) -> bool:
    """Run the day, or a part of it, with a fault; return whether the caller was told of it.

    Raises:
        FailedProofError: Something is not as it is promised.
    """
    plan = scene.plan
    plan.arm(fault)
    reported = False
    position = part.first
    try:
        _begin(scene, part)
        while position < part.last:
            name, step = STEPS[position]
            try:
                with plan.on():
                    step(scene)
            except VshellError as error:
                require(not reported, f"{name}: {error!r} after the fault")
                require(plan.happened, f"{name}: {error!r} without the fault")
                reported = True
                plan.fault = None
                _check_error(error, fault, scene)
                before = expected.states[position - 1] if position else None
                state = _check_state(scene, name, before, expected.states[position])
                if name in _OPENING or state == before:
                    continue
            position += 1
        plan.fault = None
        require(plan.happened, "the fault did not happen")
        require(scene.state() == expected.states[part.last - 1], "the end is another one")
        _check_clean(scene)
    finally:
        plan.fault = None
        scene.remove()
    return reported


def _check_error(error: VshellError, fault: Fault, scene: Scene) -> None:
    require(isinstance(error, _EXPECTED[fault.mode]), f"{error!r} for {fault}")
    text = f"{error} {error.hint} {error.data} {error.filename}"
    require(str(scene.directory) not in text, f"a path of the host in {text}")
    for word in _FOREIGN_WORDS:
        require(word not in text.lower(), f"{word!r} in {text}")


def _check_state(scene: Scene, name: str, before: Rows | None, after: Rows | None) -> Rows | None:
    """Make sure that nothing is between before and after; return what is there."""
    state = scene.state()
    if state is None:
        require(before is None, f"{name}: the workspace is gone")
        return None
    require(state in (before, after), f"{name}: neither before nor after")
    _check_clean(scene)
    require(_state_on_disk(scene) in (before, after), f"{name}: a crash now would lose something")
    workspace = scene.opened
    if workspace is not None and not workspace.closed:
        with Workspace.open(scene.path, create=False) as other:
            same = snapshot(workspace.files) == snapshot(other.files)
        require(same, f"{name}: the workspace shows what is not so")
    return state


def _state_on_disk(scene: Scene) -> Rows:
    """Return the rows that another process would find if this one ended without closing."""
    directory = scene.directory / "found"
    directory.mkdir()
    try:
        for suffix in ("", "-wal"):
            source = scene.path.with_name(scene.path.name + suffix)
            if source.exists():
                shutil.copyfile(source, directory / source.name)
        found = dump(directory / scene.path.name)
        with Workspace.open(directory / scene.path.name, create=False) as workspace:
            report = workspace.check()
        require(report.ok, f"a crash now would leave: {report.problems}")
        return found
    finally:
        shutil.rmtree(directory)


def _check_clean(scene: Scene) -> None:
    with Workspace.open(scene.path, create=False) as other:
        report = other.check()
    require(report.ok, f"damaged: {report.problems}")


def run(*, count: int | None = None, seed: int = 0) -> Findings:
    """Inject every fault in each step, or so many in the whole day that the seed chooses."""
    findings = Findings(seed)
    plan = FaultPlan()
    with scratch() as directory, scratch() as kept, faulty_file_system(plan):
        scene = Scene(directory, plan)
        make_source(directory / "source")
        expected = reference(scene)
        if count is None:
            for part in parts(scene, kept):
                findings.counts["steps"] += 1
                findings.counts["calls in them"] += sum(part.calls.values())
                for fault in all_faults(part.calls):
                    _inject(scene, expected, fault, part, findings)
        else:
            for fault in chosen_faults(all_faults(expected.calls), count, seed):
                _inject(scene, expected, fault, WHOLE_DAY, findings)
    return findings


def _inject(
    scene: Scene, expected: Reference, fault: Fault, part: Part, findings: Findings
) -> None:
    findings.counts["faults"] += 1
    findings.counts[f"{fault.call}: {fault.mode}"] += 1
    try:
        told = run_fault(scene, expected, fault, part)
        findings.counts["told to the caller" if told else "without consequence"] += 1
    except (FailedProofError, VshellError) as failure:
        step = "" if part is WHOLE_DAY else f"{STEPS[part.first][0]}, "
        findings.failures.append(f"{step}{fault}: {failure}")

"""Every file operation of the storage fails once: what is left is before or after, never between.

A scripted day in a workspace (`scene.py`) runs first without faults: the rows after each
step are kept, and how often files were opened, read, written, truncated, synced, measured,
locked and deleted. Then it runs again for each of these calls, which fails as a disk
fails. The caller must get an error of ours; the database must hold the rows from before
or after the step; and the same workspace must go on to the same end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults.faulty import HOST_CALLS, Fault, FaultPlan, faulty_file_system
from tests.faults.scene import STEPS, Rows, Scene, make_source, scratch
from tests.fs.workspaces import snapshot
from vshell.errors import (
    CorruptError,
    OperationTimeoutError,
    QuotaExceededError,
    UnavailableError,
    VshellError,
)
from vshell.workspace import Workspace

_MODES: Final[dict[str, tuple[str, ...]]] = {
    "open": ("error",),
    "read": ("error", "short", "slow"),
    "write": ("error", "full", "torn", "slow"),
    "truncate": ("error",),
    "sync": ("error", "slow"),
    "size": ("error",),
    "lock": ("error", "busy"),
    "delete": ("error",),
    "access": ("error",),
    "shared lock": ("busy",),
} | {f"host {name}": ("error", "full") for name in HOST_CALLS}

_EXPECTED: Final[dict[str, tuple[type[VshellError], ...]]] = {
    "error": (UnavailableError,),
    "full": (QuotaExceededError, UnavailableError),
    "torn": (QuotaExceededError,),
    "busy": (OperationTimeoutError,),
    # A page that is not there is no error of the disk's to SQLite.
    "short": (UnavailableError, CorruptError),
    "slow": (),
}
_REPEATABLE: Final = {"create", "reopen", "read", "vacuum", "vacuum again", "close"}
_FOREIGN_WORDS: Final = ("sqlite", "apsw", "injected", "database is", "traceback")


class Reference(NamedTuple):
    """What the day is like without faults: the rows after each step, and the calls."""

    states: list[Rows | None]
    calls: Counter[str]


@dataclass
class Findings:
    """What came of many runs.

    Attributes:
        points: How many faults were injected.
        reported: How many of them the caller got as errors.
        absorbed: How many of them no one noticed, and nothing was wrong.
        by_call: How many for each kind of call.
        failures: What was not as it must be, a sentence each.
    """

    points: int = 0
    reported: int = 0
    absorbed: int = 0
    by_call: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


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


def faults(calls: Counter[str]) -> Iterator[Fault]:
    """Yield every fault that can happen in a day with these calls."""
    for call, count in sorted(calls.items()):
        for mode in _MODES[call]:
            for number in range(1, count + 1):
                yield Fault(call, number, mode)
                if mode not in ("slow", "short"):
                    yield Fault(call, number, mode, lasting=True)


class FailedProofError(Exception):
    """Something is not as it is promised."""


def run_fault(scene: Scene, expected: Reference, fault: Fault) -> bool:
    """Run the day with a fault; return whether the caller was told of it.

    Raises:
        FailedProofError: Something is not as it is promised.
    """
    plan = scene.plan
    plan.arm(fault)
    reported = False
    position = 0
    name = ""
    try:
        while position < len(STEPS):
            name, step = STEPS[position]
            try:
                with plan.on():
                    step(scene)
            except VshellError as error:
                _require(plan.happened, f"{name}: {error!r} without a fault")
                _check_error(error, fault, scene)
                reported = True
                plan.fault = None
                before = expected.states[position - 1] if position else None
                committed = _check_state(scene, name, before, expected.states[position])
                if name in ("create", "reopen") or not committed:
                    continue
            position += 1
        _require(plan.happened, "the fault did not happen")
        _require(scene.state() == expected.states[-1], "the end is another one")
        _check_clean(scene)
    except (FailedProofError, VshellError) as error:
        plan.fault = None
        if fault.mode == "short" and _is_known_damage(scene):
            return True
        raise FailedProofError(f"{name}: {error}") from error
    finally:
        plan.fault = None
        scene.remove()
    return reported


def _is_known_damage(scene: Scene) -> bool:
    """Tell whether a check names the damage that a file which seemed to end has left.

    The host's file system never ends a file too early. If it did, SQLite would take what
    is missing for zeros; what was computed from them must not go unnoticed.
    """
    with Workspace.open(scene.path, create=False) as other:
        return not other.check().ok


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise FailedProofError(message)


def _check_error(error: VshellError, fault: Fault, scene: Scene) -> None:
    _require(isinstance(error, _EXPECTED[fault.mode]), f"{error!r} for {fault}")
    text = f"{error} {error.hint} {error.data} {error.filename}"
    _require(str(scene.directory) not in text, f"a path of the host in {text}")
    for word in _FOREIGN_WORDS:
        _require(word not in text.lower(), f"{word!r} in {text}")


def _check_state(scene: Scene, name: str, before: Rows | None, after: Rows | None) -> bool:
    """Make sure that nothing is between before and after; return whether it is after."""
    state = scene.state()
    if state is None:
        _require(before is None, f"{name}: the workspace is gone")
        return False
    _require(state in (before, after), f"{name}: neither before nor after")
    _check_clean(scene)
    workspace = scene.opened
    if workspace is not None and not workspace.closed:
        with Workspace.open(scene.path, create=False) as other:
            same = snapshot(workspace.files) == snapshot(other.files)
        _require(same, f"{name}: the workspace shows what is not so")
    # Some steps change no rows: they are done again, as far as that is possible.
    return state == after and name not in _REPEATABLE


def _check_clean(scene: Scene) -> None:
    with Workspace.open(scene.path, create=False) as other:
        report = other.check()
    _require(report.ok, f"damaged: {report.problems}")


def run(*, count: int | None = None, seed: int = 0) -> Findings:
    """Inject every fault, or so many of them that the seed chooses."""
    import random

    findings = Findings()
    plan = FaultPlan()
    with scratch() as directory, faulty_file_system(plan):
        scene = Scene(directory, plan)
        make_source(directory / "source")
        expected = reference(scene)
        chosen = list(faults(expected.calls))
        if count is not None and count < len(chosen):
            chosen = random.Random(seed).sample(chosen, count)
        for fault in chosen:
            findings.points += 1
            findings.by_call[fault.call] += 1
            try:
                if run_fault(scene, expected, fault):
                    findings.reported += 1
                else:
                    findings.absorbed += 1
            except FailedProofError as failure:
                findings.failures.append(f"{fault}: {failure}")
    return findings


def main() -> None:
    from time import perf_counter
    start = perf_counter()
    findings = run()
    print(findings.points, findings.reported, findings.absorbed, findings.by_call, perf_counter() - start)
    for failure in findings.failures[:40]:
        print(failure)
    print(len(findings.failures))

if __name__ == "__main__":
    main()

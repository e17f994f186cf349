"""The process that runs a job is killed, in every phase and at any moment.

A child runs commands in a container, one job each, and gets SIGKILL: right after it says
which phase begins, or at a random moment. Then another process resumes. Whatever happened:
each command ran at most once; what the workspace acknowledged is there; a job that is done
has brought everything back, and one that is not says why; and both sides converge.
"""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path
from typing import Final

from tests.faults.findings import FailedProofError, Findings, require
from tests.faults.scene import scratch
from tests.processes import Child
from vshell.errors import VshellError
from vshell.sync.container import Container
from vshell.sync.jobs import UNFINISHED, Job, Phase
from vshell.workspace import Workspace

_PHASES: Final[tuple[Phase, ...]] = ("pushing", "running", "pulling")
_FILES: Final = 40
_LONGEST_S: Final = 0.5
_LIFE_S: Final = 60.0
_RUNS: Final = "/tmp/runs"
_COMMAND: Final = f"""
echo "$VSHELL_JOB" >>{_RUNS}
old=$(cat count 2>/dev/null || echo 0)
rm -rf made && mkdir made
i=0; while [ $i -lt {_FILES} ]; do echo "$VSHELL_JOB" >made/$i; i=$((i+1)); done
echo $((old + 1)) >count
"""


def _container(workspace: Workspace, image: str, transport: str) -> Container:
    return workspace.container(image, name=f"kills-{transport}", transport=transport)  # type: ignore[arg-type]


def _work(path: Path, image: str, transport: str, output: int) -> None:
    """In the child: run a job, and say which phase begins."""
    workspace = Workspace.open(path)
    container = _container(workspace, image, transport)
    container.exec(_COMMAND, on_phase=lambda phase: _say(output, phase))


def _say(output: int, phase: Phase) -> None:
    os.write(output, phase[:4].ljust(4).encode())


def _kill_one(
    path: Path, image: str, transport: str, phase: Phase | None, chance: random.Random
) -> None:
    reader, writer = os.pipe()
    try:
        child = Child(lambda: _work(path, image, transport, writer))
        os.close(writer)
        if phase is not None:
            wanted, seen = phase[:4].encode(), b""
            while wanted not in seen and select.select([reader], [], [], _LIFE_S)[0]:
                piece = os.read(reader, 4)
                if not piece:
                    break
                seen += piece
            time.sleep(chance.random() * 0.03)
        else:
            time.sleep(chance.random() * _LONGEST_S)
        os.kill(child.id, signal.SIGKILL)
        child.kill()
    finally:
        os.close(reader)


def _check(path: Path, image: str, transport: str, round_number: int, findings: Findings) -> None:
    """Resume, and see whether everything is as it is promised.

    Raises:
        FailedProofError: It is not.
    """
    with Workspace.open(path, create=False) as workspace:
        report = workspace.check()
        require(report.ok, f"damaged: {report.problems}")
        with _container(workspace, image, transport) as container:
            _check_in(workspace, container, round_number, findings)


def _check_in(
    workspace: Workspace, container: Container, round_number: int, findings: Findings
) -> None:
    before = {job.id: job.phase for job in container.jobs(limit=5).jobs}
    container.resume()
    container.sync()
    unfinished = [job for job in container.jobs(limit=5).jobs if job.phase in UNFINISHED]
    require(not unfinished, "a job stays unfinished")
    for number in range(round_number + 1):
        require(workspace.exists(f"/in/{number}"), f"/in/{number} is lost")
    newest = container.jobs(limit=1).jobs
    job = newest[0] if newest and newest[0].command[-1] == _COMMAND else None
    name = f"killed in {before[job.id]}, then {job.phase}" if job else "killed before it was a job"
    findings.counts[name] += 1
    looked = container.exec(f"touch {_RUNS}; cat {_RUNS}; ls in | wc -l")
    require(looked.exit_code == 0, f"cannot look: {looked.stderr!r}")
    *runs, sent = looked.stdout.decode().split()
    require(int(sent) == round_number + 1, "the container has not all of the workspace's files")
    _check_runs(workspace, job, runs)


def _check_runs(workspace: Workspace, job: Job | None, runs: list[str]) -> None:
    require(len(runs) == len(set(runs)), "a command ran twice")
    if job is None:
        return
    ran = f"job-{job.id}" in runs
    if job.phase == "failed":
        require(not ran, "a job that failed before its start has run")
    if job.phase == "done" and job.exit_code == 0:
        require(ran, "a job is done and never ran")
        made = {workspace.read_text(f"/made/{number}") for number in range(_FILES)}
        require(made == {f"job-{job.id}\n"}, "what a job made came back by half")


def run(*, count: int, seed: int = 0, transport: str = "bind") -> Findings:
    """Kill so many processes."""
    from tests.sync import daemon

    findings = Findings(seed)
    reason = daemon.missing()
    if reason:
        findings.counts[f"nothing was done: {reason}"] += 1
        return findings
    image = daemon.image()
    chance = random.Random(f"{seed}/container")
    with scratch() as directory:
        path = directory / "agent.db"
        Workspace.open(path).close()
        try:
            for number in range(count):
                with Workspace.open(path) as workspace:
                    workspace.write(f"/in/{number}", f"{number}\n")
                phase = _PHASES[number % 4] if number % 4 < len(_PHASES) else None
                _kill_one(path, image, transport, phase, chance)
                findings.counts["kills of the process that runs a job"] += 1
                try:
                    _check(path, image, transport, number, findings)
                except (FailedProofError, VshellError) as failure:
                    findings.failures.append(f"kill {number} in {phase}: {failure!r}")
        finally:
            with Workspace.open(path) as workspace:
                _container(workspace, image, transport).remove()
    return findings

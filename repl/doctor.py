"""`vshell doctor`: what this installation has, what works here, and why something does not."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from vshell._version import __version__
from vshell.errors import VshellError
from vshell.record import Record

from .output import Output

_PACKAGES: Final = (
    "apsw",
    "bashkit",
    "diff-match-patch",
    "pathspec",
    "prompt-toolkit",
    "regex",
)
_OPTIONAL: Final = {
    "pydantic-monty": "the script engine that needs no help of the system",
    "quickjs-ng": "scripts in JavaScript",
}
_MARKS: Final = {"ok": "green", "missing": "yellow", "broken": "red"}


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One thing that was looked at.

    Attributes:
        name: What.
        state: `"ok"`; `"missing"`: something optional is not there; `"broken"`: something
            that vshell needs does not work.
        detail: A version, or why not and what to do.
    """

    name: str
    state: Literal["ok", "missing", "broken"]
    detail: str


def run_doctor(output: Output) -> int:
    """Print the findings; return 1 when something that vshell needs is broken."""
    findings = list(_findings())
    if output.as_json:
        output.json([finding.as_dict() for finding in findings])
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            state = output.style(f"{finding.state:<7}", _MARKS[finding.state])
            output.line(f"{finding.name:<{width}}  {state}  {finding.detail}")
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _findings() -> Iterator[Finding]:
    yield Finding("vshell", "ok", __version__)
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    for package in _PACKAGES:
        yield _package(package)
    for package, purpose in _OPTIONAL.items():
        yield _optional(package, purpose)
    yield from _sqlite()
    yield from _confinement()
    yield _shell()
    yield from _containers()
    yield _command("rg", ["rg", "--version"], "benchmarks against ripgrep")
    yield _command("git", ["git", "--version"], "the project's own tests")
    yield _device("fuse", Path("/dev/fuse"), "mounting a workspace")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "broken", f"not installed: pip install {name}")


def _optional(name: str, purpose: str) -> Finding:
    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", f"pip install 'vshell[script]'; needed for {purpose}")


def _confinement() -> Iterator[Finding]:
    from vshell.jail.probing import probe

    found = probe()
    levels = {
        "full": Finding("script jail", "ok", "namespaces, an empty root, limits and seccomp"),
        "reduced": Finding("script jail", "missing", "no namespaces; asked for, seccomp alone"),
        "none": Finding("script jail", "missing", "scripts run in Monty only"),
    }
    yield levels[found.guests]
    for part, reason in found.as_dict().items():
        name = part.replace("_", " ")
        yield Finding(name, "missing" if reason else "ok", reason or "for the confinement of code")


def _shell() -> Finding:
    from vshell.workspace import Workspace

    try:
        with Workspace.memory() as workspace, workspace.shell() as shell:
            missing = [name for name, there in shell.confinement.items() if not there]
    except (VshellError, OSError) as error:
        return Finding("shell", "broken", str(error))
    if missing:
        lost = " and ".join(missing)
        return Finding("shell", "missing", f"it works; no control of its worker's {lost}")
    return Finding("shell", "ok", "its worker reaches the database, and nothing else")


def _containers() -> Iterator[Finding]:
    from vshell.sync.docker_probe import probe

    found = probe()
    yield (
        Finding("docker library", "ok", found.library)
        if found.library
        else Finding(
            "docker library", "missing", "pip install 'vshell[container]'; needed for containers"
        )
    )
    yield (
        Finding("docker", "missing", found.problem)
        if found.problem
        else Finding("docker", "ok", found.daemon)
    )
    yield Finding("container mirror", "ok" if found.mirror_in_memory else "missing", found.mirror)


def _sqlite() -> Iterator[Finding]:
    import apsw

    yield Finding("sqlite", "ok", apsw.sqlite_lib_version())
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "probe.db"))
        yield _probe("write-ahead log", lambda: _probe_log(path))
        yield _probe("change counter", lambda: _probe_counter(path))
    shared = Path("/dev/shm")  # noqa: S108 - only looked at
    yield (
        Finding("shared memory", "ok", "Workspace.memory() uses it")
        if shared.is_dir()
        else Finding("shared memory", "missing", "Workspace.memory() uses the temporary directory")
    )


def _probe(name: str, question: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", question())
    except (OSError, RuntimeError, ValueError) as error:
        return Finding(name, "broken", f"{type(error).__name__}: {error}")


def _probe_log(path: str) -> str:
    from vshell.workspace import Workspace

    with Workspace.open(path) as workspace:
        workspace.write("/probe", "probe")
        if workspace.read_text("/probe") != "probe":
            raise RuntimeError("what was written is not what is read")
    return "a workspace can be made, written and read"


def _probe_counter(path: str) -> str:
    from vshell.fs.change_counter import SharedChangeCounter
    from vshell.workspace import Workspace

    with Workspace.open(path) as workspace:
        if isinstance(workspace.files.store.database.counter, SharedChangeCounter):
            return "in shared memory: cached reads take about a microsecond"
    return "by query: cached reads take a few microseconds"


def _command(name: str, probe: list[str], purpose: str) -> Finding:
    if shutil.which(probe[0]) is None:
        return Finding(name, "missing", f"not installed; needed for {purpose}")
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, "missing", f"does not answer: {type(error).__name__}")
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode:
        return Finding(
            name, "missing", f"does not answer: {lines[0] if lines else 'no reason given'}"
        )
    return Finding(name, "ok", lines[0] if lines else "")


def _device(name: str, path: Path, purpose: str) -> Finding:
    if path.exists():
        return Finding(name, "ok", str(path))
    return Finding(name, "missing", f"{path} does not exist; needed for {purpose} ({sys.platform})")

"""What shells and runs of scripts keep in a workspace, stored without running any."""

from __future__ import annotations

from typing import Final

from vshell.fs import shells
from vshell.fs.effects import Effect
from vshell.fs.runs import CallRow, RunRow, RunStore
from vshell.fs.schema import FILE
from vshell.workspace import Workspace

NOW_NS: Final = 1_700_000_000_000_000_000
"""The time never changes, so that a step repeated leaves the same rows as one that succeeded."""


def keep_shell_line(workspace: Workspace, name: str, state: bytes) -> None:
    """Store a shell session and one line of it in one transaction, as a shell's worker does."""
    files = workspace.files
    with workspace.changing("shell"):
        shells.save(files, name, shells.SavedShell("/", "engine", state, "{}"))
        shells.add_history(files, name, "/", 0, f"echo {len(state)}")
        files.write("/from the shell", state, parents=True)


def keep_run(workspace: Workspace, name: str, status: str) -> None:
    """Store a run with a call and an effect, or end it."""
    runs = RunStore(workspace.files)
    with workspace.changing("run"):
        runs.delete(name)
        row = ("durable", "running", 0, "", "/", "python", "1", "{}", "{}", "x", 0, NOW_NS, NOW_NS)
        runs.add(RunRow(name, *row))
        runs.save_calls(name, [CallRow(1, "readFile", b"request", "[]", '"answer"', 1)])
        stored = workspace.files.store.content.put(name.encode() * 100)
        runs.save_effects(
            name, [(Effect("write", "/of the run", None, -1, FILE, stored.id, 0o644, 0), stored)]
        )
        runs.end(name, status, None)

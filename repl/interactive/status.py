"""What the prompt and the toolbar show: facts, no prose."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Peers
from vshell.repl.output import readable_size

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

__all__ = ["Status", "prompt_text", "toolbar_text"]

_MANY: Final = 1000
_LONGEST_CWD: Final = 40


@dataclass(slots=True)
class Status:
    """What is known when the prompt is shown.

    Attributes:
        workspace: The name of the workspace's file.
        cwd: The shell's working directory.
        exit_code: What the last line came to.
        seconds: How long it took; None before the first.
        revision: The workspace's revision.
        live_bytes: How much all files together have.
        unsynced: How many paths a mirror has not seen yet.
        conflicts: How many conflicts with mirrors wait for a decision.
    """

    workspace: str
    cwd: str = "/"
    exit_code: int = 0
    seconds: float | None = None
    revision: int = 0
    live_bytes: int = 0
    unsynced: int = 0
    conflicts: int = 0

    @property
    def name(self) -> str:
        """What the workspace is called in the prompt."""
        return os.path.basename(self.workspace).removesuffix(".db")

    def refresh(self, files: FileSystem) -> None:
        """Look at the workspace; a few statements, whatever is in it."""
        self.revision = files.revision()
        self.live_bytes = files.live_bytes()
        peers = Peers(files)
        known = files.store.read(peers.all)
        self.unsynced = sum(len(peers.touched_since(peer.position) or ()) for peer in known)
        self.conflicts = sum(peers.count_conflicts(peer) for peer in known)


def prompt_text(status: Status, *, shows_colour: bool = True) -> StyleAndTextTuples:
    """Return the prompt: workspace, directory, what waits, and how the last line ended."""
    parts: StyleAndTextTuples = [
        ("class:prompt.workspace", status.name),
        ("", ":"),
        ("class:prompt.cwd", _shortened(status.cwd)),
    ]
    if status.unsynced:
        parts.append(("class:prompt.unsynced", f" ↑{_counted(status.unsynced)}"))
    if status.conflicts:
        parts.append(("class:prompt.conflicts", f" !{_counted(status.conflicts)}"))
    if status.exit_code:
        parts.append(("class:prompt.failed", f" {status.exit_code}"))
    parts.append(("", " $ "))
    return parts if shows_colour else [("", "".join(part[1] for part in parts))]


def toolbar_text(status: Status, *, mode: str = "") -> str:
    """Return the toolbar: revision, size, how long the last line took, and the keys' mode."""
    shown = [f"r{status.revision}", readable_size(status.live_bytes)]
    if status.seconds is not None:
        shown.append(_duration(status.seconds))
    if mode:
        shown.append(mode)
    return "  ".join(shown)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _counted(number: int) -> str:
    return str(number) if number < _MANY else f"{_MANY - 1}+"


def _shortened(cwd: str) -> str:
    return cwd if len(cwd) <= _LONGEST_CWD else "…" + cwd[-_LONGEST_CWD + 1 :]

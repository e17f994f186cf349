"""What a run of the shell came to."""

from __future__ import annotations

from dataclasses import dataclass

from vshell.ops.changeset import FileChange
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class ShellResult(Record):
    """What a run of the shell came to.

    Attributes:
        stdout: What it printed, at most as much as the limits keep.
        stderr: The same for errors.
        exit_code: The script's own; 124 after a timeout, 125 when it met a limit of the
            language, 130 when it was interrupted, 137 when it took too much memory, 139
            when the engine crashed, 153 when it printed too much.
        timed_out: Whether it was ended for its time.
        truncated: Whether `stdout` or `stderr` is not all that it printed.
        changes: What it changed, ordered by path; of a dry run, what it would change.
        committed: Whether its changes are kept; only `atomic` and `dry_run` can undo them.
        error: What ended it, in words, when it did not end by itself; else None.
        patch: The changes as a patch in git's dialect, for a dry run; else None.
        stdout_bytes: How much it printed.
        stderr_bytes: The same for errors.
        spooled_to: The file of the workspace that has all output, when that was asked for.
        cwd: The working directory after it.
        duration_s: How long it took, in seconds.
    """

    stdout: bytes
    stderr: bytes
    exit_code: int
    timed_out: bool = False
    truncated: bool = False
    changes: tuple[FileChange, ...] = ()
    committed: bool = True
    error: str | None = None
    patch: str | None = None
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    spooled_to: str | None = None
    cwd: str = "/"
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ExplainedCommand(Record):
    """A command that a script would run.

    Attributes:
        words: Its name and arguments, expanded.
        verdict: What the rules say: `"allow"`, `"ask"` or `"deny"`.
    """

    words: tuple[str, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation(Record):
    """What a script would do.

    Attributes:
        commands: What it would run, in order, but for the language's own commands.
        reads: The files whose content it would read.
        changes: What it would change.
        patch: The same as a patch.
        exit_code: How it would end.
        error: What limit it would meet; None when it would meet none.
    """

    commands: tuple[ExplainedCommand, ...]
    reads: tuple[str, ...]
    changes: tuple[FileChange, ...]
    patch: str
    exit_code: int
    error: str | None

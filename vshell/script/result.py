"""What a run comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from vshell.ops.changeset import FileChange
from vshell.ops.lazy_patch import LazyPatch, Patched
from vshell.record import Record
from vshell.script.engine import Value
from vshell.script.values import tagged

__all__ = ["CallRecord", "ScriptError", "ScriptResult", "ScriptStats", "Status"]

Status = Literal["ok", "error", "timeout", "limit", "conflict", "unavailable", "paused"]


@dataclass(frozen=True, slots=True)
class ScriptError(Record):
    """Why a run did not end well.

    Attributes:
        type: The name of the exception in the script's language, or of what ended it.
        message: What it says. A script can say anything here.
        line: The line of the script, from 1; None if there is none or it is unknown.
        hint: What to do about it; may be empty.
        traceback: Where in the script it happened, for people; may be empty.
    """

    type: str
    message: str
    line: int | None = None
    hint: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord(Record):
    """A call that the script made.

    Attributes:
        method: What was called.
        arguments: With what, shortened.
        seconds: How long the host took.
        error: The code or the type of the error that it led to; None if it did not.
    """

    method: str
    arguments: str
    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class ScriptStats(Record):
    """What a run took.

    Attributes:
        engine: The engine that ran it last; empty when none did.
        language: The language of the script.
        seconds: How long it took, all attempts together.
        host_seconds: How much of that the host took to answer calls.
        calls: How many calls the last attempt made; `ScriptResult.calls` has the first 1,000.
        output_bytes: How much it logged.
        attempts: How often it was started: again after a conflict, or in another engine.
    """

    engine: str
    language: str
    seconds: float
    host_seconds: float
    calls: int
    output_bytes: int
    attempts: int


@dataclass(frozen=True, slots=True)
class ScriptResult(Patched):
    """What a script did and said.

    Nothing of it can be trusted more than the script itself.

    Attributes:
        status: `"ok"`; `"error"`: the script failed; `"timeout"`; `"limit"`: it used more than
            it may; `"conflict"`: somebody else changed what it had read; `"unavailable"`: no
            engine can run it here; `"paused"`: it waits, see `Runs.resume`.
        value: What it returned: None, booleans, numbers, text, bytes, lists, dicts.
        logs: What it printed; when it was too much, the beginning of that.
        error: Why the status is what it is; None when it is `"ok"`.
        changes: What changed, or with `dry_run` would change, one entry for each file.
        calls: The first 1,000 calls that it made.
        run_id: Identifies the run.
        stats: What it took.
        dry_run: Whether the changes were not applied.
        value_path: The file of the workspace that has the value as JSON, when it is too
            large for `value`.
        logs_path: The file of the workspace that has all of the log, when it is cut here.
        patch: The changes as one unified diff, computed when asked for.
    """

    status: Status
    value: Value
    logs: str
    error: ScriptError | None
    changes: tuple[FileChange, ...]
    calls: tuple[CallRecord, ...]
    run_id: str
    stats: ScriptStats
    dry_run: bool = False
    value_path: str | None = None
    logs_path: str | None = None
    _patch: LazyPatch = field(
        default_factory=lambda: LazyPatch(lambda: ""), repr=False, compare=False
    )

    @property
    def ok(self) -> bool:
        """Whether the script ended by itself and what it did was applied."""
        return self.status == "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name; bytes in the value as `{"$bytes": base64}`."""
        fields = Patched.as_dict(self)
        fields["value"] = tagged(self.value)
        return fields

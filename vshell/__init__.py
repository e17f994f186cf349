"""vshell: an AI agent's durable computer in one SQLite file.

    from vshell import Workspace

    with Workspace.open("agent.db") as ws:
        ws.write("/notes.md", "# Plan\\n")
        print(ws.read("/notes.md").text)

`Workspace` has every operation; `Workspaces` keeps one workspace for each agent;
`vshell.errors` has what can go wrong, `vshell.aio` the asynchronous form. The other
names here are what operations take and return.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vshell._version import __version__
from vshell.errors import VshellError

if TYPE_CHECKING:
    from vshell.fs.check import CheckReport
    from vshell.fs.collecting import GcResult
    from vshell.fs.records import Change, Stat
    from vshell.fs.snapshots import Restored, Snapshot
    from vshell.fs.space import Retention, Usage, VacuumResult
    from vshell.ops.apply import ApplyResult
    from vshell.ops.detect import DetectResult
    from vshell.ops.diff import DiffFile, DiffResult
    from vshell.ops.edit import EditResult
    from vshell.ops.find import FindResult, FoundEntry
    from vshell.ops.glob import GlobResult
    from vshell.ops.grep import FileCount, GrepMatch, GrepPlan, GrepResult
    from vshell.ops.ls import Entry, LsResult
    from vshell.ops.moments import ComparedPath, CompareResult
    from vshell.ops.patch import PatchResult, RejectedFile
    from vshell.ops.patch_plan import PatchedFile
    from vshell.ops.read import ReadResult
    from vshell.ops.state import State
    from vshell.ops.transfer_result import Progress, TransferResult
    from vshell.ops.tree import TreeNode
    from vshell.ops.upkeep import ChangesResult, IndexProgress
    from vshell.ops.write import WriteResult
    from vshell.script.functions import Function, PauseRun
    from vshell.script.limits import Limits
    from vshell.script.result import ScriptError, ScriptResult
    from vshell.script.runs import RunInfo
    from vshell.session import Session
    from vshell.shell.limits import ShellLimits
    from vshell.shell.result import Explanation, ShellResult
    from vshell.shell.rules import Rules
    from vshell.shell.shell import Shell
    from vshell.sync.container import Container
    from vshell.sync.docker_limits import ContainerLimits
    from vshell.sync.jobs import Job
    from vshell.sync.mirror import Mirror
    from vshell.sync.results import Conflict, SyncLimits, SyncResult
    from vshell.text.edits import Edit
    from vshell.workspace import Workspace
    from vshell.workspaces import Workspaces

__all__ = [
    "ApplyResult",
    "Change",
    "ChangesResult",
    "CheckReport",
    "CompareResult",
    "ComparedPath",
    "Conflict",
    "Container",
    "ContainerLimits",
    "DetectResult",
    "DiffFile",
    "DiffResult",
    "Edit",
    "EditResult",
    "Entry",
    "Explanation",
    "FileCount",
    "FindResult",
    "FoundEntry",
    "Function",
    "GcResult",
    "GlobResult",
    "GrepMatch",
    "GrepPlan",
    "GrepResult",
    "IndexProgress",
    "Job",
    "Limits",
    "LsResult",
    "Mirror",
    "PatchResult",
    "PatchedFile",
    "PauseRun",
    "Progress",
    "ReadResult",
    "RejectedFile",
    "Restored",
    "Retention",
    "Rules",
    "RunInfo",
    "ScriptError",
    "ScriptResult",
    "Session",
    "Shell",
    "ShellLimits",
    "ShellResult",
    "Snapshot",
    "Stat",
    "State",
    "SyncLimits",
    "SyncResult",
    "TransferResult",
    "TreeNode",
    "Usage",
    "VacuumResult",
    "VshellError",
    "Workspace",
    "Workspaces",
    "WriteResult",
    "__version__",
]

# Imported when they are asked for: a command line needs few of them, and all together
# take four times as long to load as Python itself.
_MODULES = {
    "ApplyResult": "vshell.ops.apply",
    "Change": "vshell.fs.records",
    "ChangesResult": "vshell.ops.upkeep",
    "CheckReport": "vshell.fs.check",
    "CompareResult": "vshell.ops.moments",
    "ComparedPath": "vshell.ops.moments",
    "Conflict": "vshell.sync.results",
    "Container": "vshell.sync.container",
    "ContainerLimits": "vshell.sync.docker_limits",
    "DetectResult": "vshell.ops.detect",
    "DiffFile": "vshell.ops.diff",
    "DiffResult": "vshell.ops.diff",
    "Edit": "vshell.text.edits",
    "EditResult": "vshell.ops.edit",
    "Entry": "vshell.ops.ls",
    "Explanation": "vshell.shell.result",
    "FileCount": "vshell.ops.grep",
    "FindResult": "vshell.ops.find",
    "FoundEntry": "vshell.ops.find",
    "Function": "vshell.script.functions",
    "GcResult": "vshell.fs.collecting",
    "GlobResult": "vshell.ops.glob",
    "GrepMatch": "vshell.ops.grep",
    "GrepPlan": "vshell.ops.grep",
    "GrepResult": "vshell.ops.grep",
    "IndexProgress": "vshell.ops.upkeep",
    "Job": "vshell.sync.jobs",
    "Limits": "vshell.script.limits",
    "LsResult": "vshell.ops.ls",
    "Mirror": "vshell.sync.mirror",
    "PatchResult": "vshell.ops.patch",
    "PatchedFile": "vshell.ops.patch_plan",
    "PauseRun": "vshell.script.functions",
    "Progress": "vshell.ops.transfer_result",
    "ReadResult": "vshell.ops.read",
    "RejectedFile": "vshell.ops.patch",
    "Restored": "vshell.fs.snapshots",
    "Retention": "vshell.fs.space",
    "Rules": "vshell.shell.rules",
    "RunInfo": "vshell.script.runs",
    "ScriptError": "vshell.script.result",
    "ScriptResult": "vshell.script.result",
    "Session": "vshell.session",
    "Shell": "vshell.shell.shell",
    "ShellLimits": "vshell.shell.limits",
    "ShellResult": "vshell.shell.result",
    "Snapshot": "vshell.fs.snapshots",
    "Stat": "vshell.fs.records",
    "State": "vshell.ops.state",
    "SyncLimits": "vshell.sync.results",
    "SyncResult": "vshell.sync.results",
    "TransferResult": "vshell.ops.transfer_result",
    "TreeNode": "vshell.ops.tree",
    "Usage": "vshell.fs.space",
    "VacuumResult": "vshell.fs.space",
    "Workspace": "vshell.workspace",
    "Workspaces": "vshell.workspaces",
    "WriteResult": "vshell.ops.write",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

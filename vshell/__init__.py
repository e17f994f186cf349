"""vshell: an AI agent's durable computer in one SQLite file.

    from vshell import Workspace

    with Workspace.open("agent.db") as ws:
        ws.write("/notes.md", "# Plan\\n")
        print(ws.read("/notes.md").text)

`Workspace` has every operation; `Workspaces` keeps one workspace for each agent;
`vshell.errors` has what can go wrong, `vshell.aio` the asynchronous form. The other
names here are what operations take and return.
"""

from vshell._version import __version__
from vshell.errors import VshellError
from vshell.fs.check import CheckReport
from vshell.fs.records import Change, Stat
from vshell.fs.snapshots import Restored, Snapshot
from vshell.fs.space import GcResult, Retention, Usage
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
from vshell.shell.limits import ShellLimits
from vshell.shell.result import Explanation, ShellResult
from vshell.shell.rules import Rules
from vshell.text.edits import Edit
from vshell.workspace import Session, Workspace
from vshell.workspaces import Workspaces

__all__ = [
    "ApplyResult",
    "Change",
    "ChangesResult",
    "CheckReport",
    "CompareResult",
    "ComparedPath",
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
    "GcResult",
    "GlobResult",
    "GrepMatch",
    "GrepPlan",
    "GrepResult",
    "IndexProgress",
    "LsResult",
    "PatchResult",
    "PatchedFile",
    "Progress",
    "ReadResult",
    "RejectedFile",
    "Restored",
    "Retention",
    "Rules",
    "Session",
    "ShellLimits",
    "ShellResult",
    "Snapshot",
    "Stat",
    "State",
    "TransferResult",
    "TreeNode",
    "Usage",
    "VshellError",
    "Workspace",
    "Workspaces",
    "WriteResult",
    "__version__",
]

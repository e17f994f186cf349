"""vshell: an AI agent's durable computer in one SQLite file.

    from vshell import Workspace

    with Workspace.open("agent.db") as ws:
        ws.write("/notes.md", "# Plan\\n")
        print(ws.read("/notes.md").text)

`Workspace` has every operation; `Workspaces` keeps one workspace for each agent.
"""

from vshell._version import __version__
from vshell.workspace import Session, Workspace
from vshell.workspaces import Workspaces

__all__ = ["Session", "Workspace", "Workspaces", "__version__"]

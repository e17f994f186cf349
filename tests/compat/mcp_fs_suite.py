"""The filesystem server's own answers to the same calls, asked over its own stdio."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.compat import programs
from tests.compat.outcome import Outcome
from vshell import Workspace

FILES = {"a.txt": "one\ntwo\nthree\n", "dir/b.py": "def f():\n    return 1\n", "dir/sub/c": "x"}

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("read_text_file", {"path": "a.txt"}),
    ("read_text_file", {"path": "a.txt", "head": 2}),
    ("read_text_file", {"path": "a.txt", "tail": 2}),
    ("read_text_file", {"path": "a.txt", "head": 1, "tail": 1}),
    ("read_multiple_files", {"paths": ["a.txt", "dir/b.py"]}),
    ("write_file", {"path": "new.txt", "content": "new\n"}),
    ("write_file", {"path": "absent/new.txt", "content": "new\n"}),
    ("edit_file", {"path": "a.txt", "edits": [{"oldText": "two", "newText": "2"}]}),
    (
        "edit_file",
        {"path": "dir/b.py", "dryRun": True, "edits": [{"oldText": "1", "newText": "`2`"}]},
    ),
    ("edit_file", {"path": "a.txt", "edits": [{"oldText": "absent", "newText": "2"}]}),
    (
        "edit_file",
        {
            "path": "dir/b.py",
            "edits": [
                {"oldText": "def f():\nreturn 1", "newText": "def f():\n    return 3"},
            ],
        },
    ),
    ("create_directory", {"path": "made/deep"}),
    ("list_directory", {"path": "dir"}),
    ("list_directory_with_sizes", {"path": "dir"}),
    ("directory_tree", {"path": "."}),
    ("directory_tree", {"path": ".", "excludePatterns": ["sub"]}),
    ("move_file", {"source": "new.txt", "destination": "moved.txt"}),
    ("move_file", {"source": "a.txt", "destination": "moved.txt"}),
    ("search_files", {"path": ".", "pattern": "**/*.py"}),
    ("search_files", {"path": ".", "pattern": "*.nothing"}),
]


def compare(outcome: Outcome, quick: bool) -> None:
    """Run the suite."""
    package, node = programs.package("@modelcontextprotocol/server-filesystem"), programs.node()
    assert package is not None
    assert node is not None
    import anyio

    with tempfile.TemporaryDirectory() as directory, Workspace.memory() as workspace:
        root = Path(directory).resolve()
        for path, content in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
            workspace.write(f"{root}/{path}", content)
        program = [node, str(package / "dist" / "index.js"), str(root)]
        anyio.run(_compare, outcome, workspace, root, program)


async def _compare(outcome: Outcome, workspace: Workspace, root: Path, program: list[str]) -> None:
    import mcp

    profile = workspace.tools("mcp_fs")
    server = mcp.StdioServerParameters(command=program[0], args=program[1:])
    async with mcp.Client(mcp.stdio_client(server)) as client:
        for tool, arguments in CALLS:
            given = _absolute(arguments, root)
            theirs = await client.call_tool(tool, given)
            ours = profile.run(tool, given)
            shown = "".join(block.text for block in theirs.content if block.type == "text")
            same = theirs.is_error == ours.is_error and (
                ours.is_error or _comparable(shown) == _comparable(ours.text)
            )
            outcome.check(f"{tool}({arguments})", ok=same)
        for path in sorted(root.rglob("*")):
            if path.is_file():
                same = path.read_bytes() == workspace.read_bytes(str(path))
                outcome.check(f"content of {path.name}", ok=same)


def _absolute(arguments: dict[str, Any], root: Path) -> dict[str, Any]:
    def whole(name: str, value: Any) -> Any:
        if name in ("path", "source", "destination"):
            return str(root) if value == "." else f"{root}/{value}"
        return [f"{root}/{each}" for each in value] if name == "paths" else value

    return {name: whole(name, value) for name, value in arguments.items()}


def _comparable(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()

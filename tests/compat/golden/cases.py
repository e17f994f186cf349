"""The files and the calls whose answers are recorded: the same for us and for the real tools.

A path that begins with `@` is below the directory that the tools work in.
"""

from __future__ import annotations

from typing import Any, Final

from tests.compat.mcp_fs_suite import CALLS as MCP_FS_CALLS

Call = tuple[str, dict[str, Any]]

FILES: Final = {
    "a.txt": "one\ntwo\nthree\n",
    "dir/b.py": "def f():\n    return 1\n",
    "dir/sub/c.txt": "x",
    ".hidden": "secret\n",
    "crlf.txt": "one\r\ntwo\r\n",
    "empty.txt": "",
    "long.txt": "".join(f"line {number}\n" for number in range(1, 2501)),
    "wide.txt": "y" * 60_000 + "\nend\n",
    "quotes.txt": "It’s “fine” — really\n",
    "twice.txt": "same\nsame\n",
}

_EDIT: Final = {"oldText": "two", "newText": "2"}

PI: Final[list[Call]] = [
    ("read", {"path": "a.txt"}),
    ("read", {"path": "@/a.txt", "offset": 2}),
    ("read", {"path": "a.txt", "offset": 2, "limit": 1}),
    ("read", {"path": "a.txt", "offset": 9}),
    ("read", {"path": "absent.txt"}),
    ("read", {"path": "empty.txt"}),
    ("read", {"path": "crlf.txt"}),
    ("read", {"path": "long.txt"}),
    ("read", {"path": "long.txt", "offset": 2001}),
    ("read", {"path": "long.txt", "limit": 3}),
    ("read", {"path": "wide.txt"}),
    ("write", {"path": "new/deep/n.txt", "content": "é\n"}),
    ("write", {"path": "a2.txt", "content": ""}),
    ("edit", {"path": "a.txt", "edits": [_EDIT]}),
    ("edit", {"path": "a.txt", "edits": [{"oldText": "absent", "newText": "x"}]}),
    ("edit", {"path": "twice.txt", "edits": [{"oldText": "same", "newText": "x"}]}),
    ("edit", {"path": "a.txt", "edits": [{"oldText": "", "newText": "x"}]}),
    ("edit", {"path": "a.txt", "edits": [{"oldText": "one", "newText": "one"}]}),
    ("edit", {"path": "absent.txt", "edits": [_EDIT]}),
    ("edit", {"path": "a.txt", "edits": []}),
    (
        "edit",
        {
            "path": "dir/b.py",
            "edits": [
                {"oldText": "def f", "newText": "def g"},
                {"oldText": "absent", "newText": "x"},
            ],
        },
    ),
    (
        "edit",
        {
            "path": "dir/b.py",
            "edits": [
                {"oldText": "def f", "newText": "def g"},
                {"oldText": "f():", "newText": "h():"},
            ],
        },
    ),
    (
        "edit",
        {
            "path": "dir/b.py",
            "edits": [
                {"oldText": "def f", "newText": "def g"},
                {"oldText": "return 1", "newText": "return 2"},
            ],
        },
    ),
    ("edit", {"path": "crlf.txt", "edits": [{"oldText": "one\ntwo", "newText": "1\n2"}]}),
    ("edit", {"path": "quotes.txt", "edits": [{"oldText": 'It\'s "fine"', "newText": "So"}]}),
    ("grep", {"pattern": "tw.", "path": "a.txt"}),
    ("grep", {"pattern": "one", "path": "dir"}),
    ("grep", {"pattern": "return", "path": "dir"}),
    ("grep", {"pattern": "return", "path": "dir", "context": 1}),
    ("grep", {"pattern": "RETURN", "path": "dir", "ignoreCase": True}),
    ("grep", {"pattern": "g():", "path": "dir", "literal": True}),
    ("grep", {"pattern": "line 1", "path": "long.txt", "limit": 2}),
    ("grep", {"pattern": "y+", "path": "wide.txt"}),
    ("grep", {"pattern": "x", "path": "absent"}),
    ("grep", {"pattern": "secret"}),
    ("find", {"pattern": "*.py"}),
    ("find", {"pattern": "**/*.txt", "path": "dir"}),
    ("find", {"pattern": "nothing"}),
    ("find", {"pattern": "*", "path": "absent"}),
    ("find", {"pattern": "*.txt", "limit": 1, "path": "dir"}),
    ("ls", {}),
    ("ls", {"path": "dir"}),
    ("ls", {"limit": 2}),
    ("ls", {"path": "absent"}),
    ("ls", {"path": "a.txt"}),
    ("bash", {"command": "echo out; echo err >&2"}),
    ("bash", {"command": "exit 3"}),
    ("bash", {"command": "printf 'no newline'; false"}),
    ("bash", {"command": "true"}),
    ("bash", {"command": "echo out; false"}),
    ("bash", {"command": "seq 2500", "timeout": 60}),
]

DEEPAGENTS: Final[list[Call]] = [
    ("ls", {"path": "@/dir"}),
    ("ls", {"path": "@/absent"}),
    ("read_file", {"file_path": "@/a.txt"}),
    ("read_file", {"file_path": "@/a.txt", "offset": 1, "limit": 1}),
    ("read_file", {"file_path": "@/a.txt", "offset": 9}),
    ("read_file", {"file_path": "@/absent.txt"}),
    ("read_file", {"file_path": "@/empty.txt"}),
    ("read_file", {"file_path": "@/long.txt"}),
    ("write_file", {"file_path": "@/new/n.txt", "content": "é\n"}),
    ("write_file", {"file_path": "@/new/n.txt", "content": "again\n"}),
    ("edit_file", {"file_path": "@/a.txt", "old_string": "two", "new_string": "2"}),
    ("edit_file", {"file_path": "@/a.txt", "old_string": "absent", "new_string": "2"}),
    ("edit_file", {"file_path": "@/twice.txt", "old_string": "same", "new_string": "x"}),
    (
        "edit_file",
        {
            "file_path": "@/twice.txt",
            "old_string": "same",
            "new_string": "x",
            "replace_all": True,
        },
    ),
    ("edit_file", {"file_path": "@/absent.txt", "old_string": "a", "new_string": "b"}),
    ("glob", {"pattern": "*.py", "path": "@"}),
    ("glob", {"pattern": "**/*.nothing", "path": "@"}),
    ("grep", {"pattern": "return", "path": "@/dir"}),
    ("grep", {"pattern": "return", "path": "@/dir", "output_mode": "content"}),
    ("grep", {"pattern": "return", "path": "@/dir", "output_mode": "count"}),
    ("grep", {"pattern": "absent text", "path": "@/dir"}),
    # Other outputs are worded by the backend, and each has words of its own.
    ("execute", {"command": "echo out"}),
]

GEMINI: Final[list[Call]] = [
    ("list_directory", {"dir_path": "@/dir"}),
    ("list_directory", {"dir_path": "@/absent"}),
    ("list_directory", {"dir_path": "@/a.txt"}),
    ("read_file", {"file_path": "@/a.txt"}),
    ("read_file", {"file_path": "@/a.txt", "start_line": 2, "end_line": 2}),
    ("read_file", {"file_path": "@/absent.txt"}),
    ("read_file", {"file_path": "@/dir"}),
    ("read_file", {"file_path": "@/long.txt"}),
    ("read_file", {"file_path": "@/wide.txt"}),
    ("write_file", {"file_path": "@/new/n.txt", "content": "é\n"}),
    ("write_file", {"file_path": "@/new/n.txt", "content": "again\n"}),
    (
        "replace",
        {"instruction": "x", "file_path": "@/a.txt", "old_string": "two", "new_string": "2"},
    ),
    (
        "replace",
        {"instruction": "x", "file_path": "@/twice.txt", "old_string": "same", "new_string": "x"},
    ),
    (
        "replace",
        {
            "instruction": "x",
            "file_path": "@/twice.txt",
            "old_string": "same",
            "new_string": "x",
            "allow_multiple": True,
        },
    ),
    (
        "replace",
        {"instruction": "x", "file_path": "@/absent.txt", "old_string": "a", "new_string": "b"},
    ),
    (
        "replace",
        {"instruction": "x", "file_path": "@/made.txt", "old_string": "", "new_string": "made\n"},
    ),
    ("replace", {"instruction": "x", "file_path": "@/a.txt", "old_string": "", "new_string": "b"}),
    ("glob", {"pattern": "**/*.py", "dir_path": "@"}),
    ("glob", {"pattern": "**/*.nothing", "dir_path": "@"}),
    ("grep_search", {"pattern": "return", "dir_path": "@/dir"}),
    ("grep_search", {"pattern": "return", "dir_path": "@/dir", "names_only": True}),
    ("grep_search", {"pattern": "absent text", "dir_path": "@/dir"}),
    ("run_shell_command", {"command": "echo out"}),
    ("run_shell_command", {"command": "exit 3"}),
]


OPENCODE: Final[list[Call]] = [
    ("read", {"filePath": "@/a.txt"}),
    ("read", {"filePath": "@/a.txt", "offset": 2, "limit": 1}),
    ("read", {"filePath": "@/a.txt", "offset": 9}),
    ("read", {"filePath": "@/absent.txt"}),
    ("read", {"filePath": "@/b.txt"}),
    ("read", {"filePath": "@/empty.txt"}),
    ("read", {"filePath": "@/crlf.txt"}),
    ("read", {"filePath": "@/long.txt"}),
    ("read", {"filePath": "@/long.txt", "offset": 2001}),
    ("read", {"filePath": "@/wide.txt"}),
    ("read", {"filePath": "@/dir"}),
    ("write", {"filePath": "@/new/n.txt", "content": "é\n"}),
    ("write", {"filePath": "@/quotes.txt", "content": "again\n"}),
    ("edit", {"filePath": "@/a.txt", "oldString": "two", "newString": "2"}),
    ("edit", {"filePath": "@/a.txt", "oldString": "absent text", "newString": "2"}),
    ("edit", {"filePath": "@/a.txt", "oldString": "one", "newString": "one"}),
    ("read", {"filePath": "@/twice.txt"}),
    ("edit", {"filePath": "@/twice.txt", "oldString": "same", "newString": "x"}),
    (
        "edit",
        {
            "filePath": "@/twice.txt",
            "oldString": "same",
            "newString": "x",
            "replaceAll": True,
        },
    ),
    ("edit", {"filePath": "@/absent.txt", "oldString": "a", "newString": "b"}),
    ("glob", {"pattern": "**/*.py"}),
    ("glob", {"pattern": "**/*.nothing"}),
    ("grep", {"pattern": "return", "path": "@/dir"}),
    ("grep", {"pattern": "[ft]", "path": "@/dir"}),
    ("grep", {"pattern": "absent text", "path": "@/dir"}),
    ("grep", {"pattern": "(", "path": "@/dir"}),
    ("bash", {"command": "echo out; echo err >&2", "description": "prints"}),
    ("bash", {"command": "exit 3", "description": "fails"}),
    ("bash", {"command": "true", "description": "does nothing"}),
]


def mcp_fs_calls() -> list[Call]:
    """Return the calls to the MCP filesystem server, with `@` before their paths."""

    def placed(name: str, value: Any) -> Any:
        if name in ("path", "source", "destination"):
            return "@" if value == "." else f"@/{value}"
        return [f"@/{each}" for each in value] if name == "paths" else value

    return [
        (tool, {name: placed(name, value) for name, value in arguments.items()})
        for tool, arguments in MCP_FS_CALLS
    ]

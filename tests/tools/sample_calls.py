"""A call of every tool of every profile that works, in this order, on the same files."""

from __future__ import annotations

from typing import Any

from vshell import Workspace

Calls = list[tuple[str, dict[str, Any], str]]
"""Tool, arguments, and what the answer must contain."""


def prepare(workspace: Workspace) -> None:
    """Make the files that the calls are about."""
    workspace.write("/a.txt", "one\ntwo\n")
    workspace.write("/i.png", b"\x89PNG\r\n\x1a\n\0")


_TEXT_EDITOR = "str_replace_based_edit_tool"
_PATCH = """*** Begin Patch
*** Update File: a.txt
@@
-one
+1
*** Add File: new.txt
+new
*** End Patch"""

CALLS: dict[str, Calls] = {
    "claude": [
        ("Read", {"file_path": "/a.txt"}, "1\tone"),
        ("Write", {"file_path": "/new.txt", "content": "new\n"}, "File created successfully"),
        ("Edit", {"file_path": "/a.txt", "old_string": "one", "new_string": "1"}, "updated"),
        ("Glob", {"pattern": "*.txt"}, "/new.txt"),
        ("Grep", {"pattern": "new"}, "/new.txt"),
        ("Bash", {"command": "cat a.txt > b.txt; pwd"}, "/"),
    ],
    "text_editor": [
        (_TEXT_EDITOR, {"command": "view", "path": "/a.txt"}, "1\tone"),
        (_TEXT_EDITOR, {"command": "create", "path": "/n", "file_text": "n\n"}, "created"),
        (
            _TEXT_EDITOR,
            {"command": "str_replace", "path": "/a.txt", "old_str": "one", "new_str": "1"},
            "edited",
        ),
        (
            _TEXT_EDITOR,
            {"command": "insert", "path": "/a.txt", "insert_line": 0, "insert_text": "0\n"},
            "edited",
        ),
    ],
    "memory": [
        ("memory", {"command": "create", "path": "/memories/m", "file_text": "m\n"}, "created"),
        ("memory", {"command": "view", "path": "/memories"}, "/memories/m"),
        (
            "memory",
            {"command": "str_replace", "path": "/memories/m", "old_str": "m", "new_str": "n"},
            "edited",
        ),
        (
            "memory",
            {"command": "insert", "path": "/memories/m", "insert_line": 0, "insert_text": "0"},
            "edited",
        ),
        (
            "memory",
            {"command": "rename", "old_path": "/memories/m", "new_path": "/memories/n"},
            "renamed",
        ),
        ("memory", {"command": "delete", "path": "/memories/n"}, "deleted"),
    ],
    "codex": [
        ("apply_patch", {"input": _PATCH}, "M a.txt"),
        ("shell", {"command": ["bash", "-lc", "cat a.txt new.txt | tee b.txt"]}, "1\ntwo\nnew"),
    ],
    "pi": [
        ("read", {"path": "a.txt"}, "one\ntwo"),
        ("bash", {"command": "cat a.txt | tee b.txt"}, "one"),
        ("edit", {"path": "a.txt", "edits": [{"oldText": "one", "newText": "1"}]}, "replaced"),
        ("write", {"path": "new.txt", "content": "new\n"}, "wrote"),
        ("grep", {"pattern": "new"}, "new.txt:1: new"),
        ("find", {"pattern": "*.txt"}, "new.txt"),
        ("ls", {}, "a.txt"),
    ],
    "opencode": [
        ("bash", {"command": "cat a.txt | tee b.txt", "description": "copies"}, "one"),
        ("read", {"filePath": "/a.txt"}, "1: one"),
        ("glob", {"pattern": "*.txt"}, "/a.txt"),
        ("grep", {"pattern": "two"}, "Line 2: two"),
        ("edit", {"filePath": "/a.txt", "oldString": "one", "newString": "1"}, "success"),
        ("write", {"filePath": "/new.txt", "content": "new\n"}, "success"),
    ],
    "gemini": [
        ("list_directory", {"dir_path": "/"}, "a.txt"),
        ("read_file", {"file_path": "/a.txt"}, "one\ntwo"),
        ("read_many_files", {"include": ["*.txt"]}, "--- /a.txt ---"),
        ("write_file", {"file_path": "/new.txt", "content": "new\n"}, "Successfully created"),
        (
            "replace",
            {"file_path": "/a.txt", "old_string": "one", "new_string": "1"},
            "Successfully modified",
        ),
        ("glob", {"pattern": "*.txt"}, "/new.txt"),
        ("grep_search", {"pattern": "new"}, "L1: new"),
        ("run_shell_command", {"command": "cat a.txt | tee b.txt"}, "Output: 1"),
    ],
    "computer": [
        ("ls", {"path": "/"}, "a.txt"),
        ("find", {"path": "/", "pattern": "*.txt"}, "a.txt"),
        ("grep", {"path": "/", "query": "two"}, "two"),
        ("read", {"path": "/a.txt"}, "one"),
        ("write", {"path": "/new.txt", "content": "new\n"}, "new.txt"),
        ("edit", {"path": "/a.txt", "edits": [{"oldText": "one", "newText": "1"}]}, "a.txt"),
        ("delete", {"path": "/new.txt"}, "new.txt"),
    ],
    "mcp_fs": [
        ("read_file", {"path": "/a.txt"}, "one"),
        ("read_text_file", {"path": "/a.txt", "head": 1}, "one"),
        ("read_media_file", {"path": "/i.png"}, ""),
        ("read_multiple_files", {"paths": ["/a.txt", "/absent"]}, "ENOENT"),
        ("write_file", {"path": "/w.txt", "content": "w"}, "Successfully wrote to /w.txt"),
        ("edit_file", {"path": "/w.txt", "edits": [{"oldText": "w", "newText": "v"}]}, "+v"),
        ("create_directory", {"path": "/d/e"}, "Successfully created directory"),
        ("list_directory", {"path": "/"}, "[FILE] a.txt"),
        ("list_directory_with_sizes", {"path": "/"}, "Combined size"),
        ("directory_tree", {"path": "/"}, '"children"'),
        ("move_file", {"source": "/w.txt", "destination": "/m.txt"}, "Successfully moved"),
        ("search_files", {"path": "/", "pattern": "*.txt"}, "/m.txt"),
        ("get_file_info", {"path": "/a.txt"}, "isFile: true"),
        ("list_allowed_directories", {}, "Allowed directories"),
    ],
    "deepagents": [
        ("ls", {"path": "/"}, "/a.txt"),
        ("read_file", {"file_path": "/a.txt"}, "one\ntwo"),
        ("write_file", {"file_path": "/new.txt", "content": "new\n"}, "/new.txt"),
        (
            "edit_file",
            {"file_path": "/a.txt", "old_string": "one", "new_string": "1"},
            "Successfully replaced 1",
        ),
        ("glob", {"pattern": "*.txt"}, "/new.txt"),
        ("grep", {"pattern": "new"}, "/new.txt"),
        ("execute", {"command": "cat a.txt | tee b.txt"}, "1\ntwo"),
    ],
    "code": [
        (
            "run_code",
            {"code": "state.write_file('/new.txt', 'new')\nlen(state.read_file('/a.txt'))"},
            "8",
        ),
    ],
}

MADE = {
    "claude": "/b.txt",
    "text_editor": "/n",
    "codex": "/b.txt",
    "pi": "/b.txt",
    "opencode": "/b.txt",
    "gemini": "/b.txt",
    "mcp_fs": "/d/e",
    "deepagents": "/b.txt",
    "code": "/new.txt",
}
"""What the last kind of change of each profile leaves: that of a shell, where it has one."""

"""The `computer` profile: the file tools of Cloudflare's Computer.

Names, arguments, results and texts are those of
https://github.com/cloudflare/computer at de87919, so that a harness written for it
finds what it expects. Where that lost bytes (lone CRs and bytes that are no UTF-8
were rewritten by an edit), these tools keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from vshell.errors import InvalidPathError, NotDirectoryError, NotFoundError, VshellError
from vshell.fs.paths import encode
from vshell.ops.context import Context
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.profiles.computer_edit import EditTool
from vshell.tools.profiles.computer_read import ReadTool
from vshell.tools.profiles.computer_search import find_entries, grep_lines

_PAGE: Final = 200
_LARGEST_PAGE: Final = 1000
_LARGEST_WRITE: Final = 2 * 1024 * 1024
_WORKSPACE: Final = "/workspace"

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_PAGING: Final = {
    "limit": {"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE},
    "offset": {"type": "integer", "minimum": 0},
}


def computer_profile(
    context: Context,
    *,
    max_lines: int = 2000,
    max_bytes: int | None = None,
    include_line_numbers: bool = False,
    line_truncation: Mapping[str, int] | None = None,
    max_model_bytes: int = 3_670_016,
) -> Profile:
    """Return the tools ls, find, grep, read, write, edit and delete.

    Args:
        context: What they work in.
        max_lines: How many lines a read returns at most.
        max_bytes: How many bytes a read returns (default 256 KiB), and a write or edit takes
            (default 2 MiB), at most.
        include_line_numbers: Put its number and a tab before each line that is read.
        line_truncation: `{"bytes": n}` or `{"chars": n}`: cut longer lines.
        max_model_bytes: The largest image or PDF that a read returns whole.
    """
    reader = ReadTool(
        context,
        max_lines=max_lines,
        max_bytes=max_bytes or 256 * 1024,
        line_numbers=include_line_numbers,
        line_truncation=line_truncation,
        max_model_bytes=max_model_bytes,
    )
    writable = max_bytes or _LARGEST_WRITE
    tools = _tools(reader, EditTool(context, max_bytes=writable), writable)
    return Profile(
        "computer",
        [_as_given(tool, changes=tool.name in ("write", "edit", "delete")) for tool in tools],
        context=context,
        render_error=render_error,
        render_mistake=_mistake,
        failure=lambda message: {"error": message},
    )


def _tools(reader: ReadTool, editor: EditTool, writable: int) -> tuple[Tool, ...]:
    return (
        Tool("ls", "List entries in a directory.", _LS, _ls),
        Tool("find", "Find files and directories by a glob.", _FIND, _find),
        Tool("grep", "Search text, literal or regex.", _GREP, _grep),
        Tool("read", "Read a file.", _READ, lambda _, given: reader.run(given)),
        Tool("write", "Write a file.", _WRITE, lambda where, given: _write(where, given, writable)),
        Tool(
            "edit",
            "Replace exact texts in a file.",
            _EDIT,
            lambda _, given: editor.run(given),
            editor.prepare,
        ),
        Tool("delete", "Delete a file or directory.", _DELETE, _delete),
    )


def _as_given(tool: Tool, *, changes: bool) -> Tool:
    # The original takes arguments as they are, and these tools open their own transactions.
    return replace(tool, strict=True, changes=changes, separate=True)


def _mistake(name: str, broken: list[dict[str, str]]) -> dict[str, Any]:
    told = "; ".join(f"{found['path']}: {found['message']}" for found in broken)
    return {"error": f"Invalid arguments for {name}: {told}", "schema_error": broken}


def render_error(error: VshellError) -> dict[str, str]:
    """Return an error in the original's words."""
    where = error.filename or ""
    text = _WORDS.get(error.code, str(error))
    if isinstance(error, InvalidPathError):
        reason = "contains NUL byte" if "\0" in where else "empty"
        return {"error": f"Invalid path ({reason}): {where}"}
    return {"error": f"{text}: {where}: {where}" if error.code in _WORDS else str(error)}


_WORDS: Final = {
    "not_found": "no such path",
    "not_directory": "not a directory",
    "is_directory": "path is a directory",
    "exists": "path exists",
    "not_empty": "not empty",
}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_LS: Final = _object(("path",), path=_TEXT, **_PAGING)
_FIND: Final = _object(("pattern",), path=_TEXT, pattern=_TEXT, **_PAGING)
_GREP: Final = _object(
    ("query",),
    path=_TEXT,
    query=_TEXT,
    include=_TEXT,
    regex=_FLAG,
    ignoreCase=_FLAG,
    context={"type": "integer", "minimum": 0, "maximum": 10},
    **_PAGING,
)
_READ: Final = _object(
    ("path",),
    path=_TEXT,
    offset={"type": "integer", "minimum": 1},
    byteOffset={"type": "integer", "minimum": 0},
    limit={"type": "integer", "minimum": 1},
)
_WRITE: Final = _object(("path", "content"), path=_TEXT, content=_TEXT)
_DELETE: Final = _object(("path",), path=_TEXT, recursive=_FLAG)
# `edits` is not described further: whatever is no list of replacements gets the text
# that tells the model what is missing.
_EDIT: Final = _object(("path",), path=_TEXT)


def _page(found: list[Any], given: Arguments, name: str, head: dict[str, Any]) -> dict[str, Any]:
    """Return a page of what was found after the offset, which is one more where there is more."""
    size = given.get("limit", _PAGE)
    page = found[:size]
    result = {**head, "count": len(page), name: page}
    if len(found) > size:
        result["nextOffset"] = given.get("offset", 0) + size
    return result


def _ls(context: Context, given: Arguments) -> dict[str, Any]:
    path = given["path"]
    entries, _ = context.files.list_directory(
        context.resolve(path), limit=given.get("limit", _PAGE) + 1, offset=given.get("offset", 0)
    )
    found = [
        {
            "name": entry.path.rpartition("/")[2],
            "size": entry.size if entry.kind != 2 else 0,
            "mtime": entry.mtime_ns // 1_000_000,
            "isFile": entry.kind == 1,
            "isDirectory": entry.kind == 2,
            "isSymbolicLink": entry.kind == 3,
        }
        for entry in entries
    ]
    return _page(found, given, "entries", {"path": path})


def _find(context: Context, given: Arguments) -> dict[str, Any]:
    path, pattern = given.get("path", _WORKSPACE), given["pattern"]
    entries = find_entries(context, context.resolve(path), pattern)
    found = [{"path": entry.path, "type": _TYPES[entry.kind]} for entry in entries]
    return _page(
        found[given.get("offset", 0) :], given, "entries", {"path": path, "pattern": pattern}
    )


_TYPES: Final = {1: "file", 2: "dir", 3: "symlink"}


def _grep(context: Context, given: Arguments) -> dict[str, Any]:
    path, query = given.get("path", _WORKSPACE), given["query"]
    found = grep_lines(
        context,
        context.resolve(path),
        query,
        is_regex=given.get("regex", False),
        ignore_case=given.get("ignoreCase", False),
        around=given.get("context", 0),
        include=given.get("include"),
        offset=given.get("offset", 0),
        limit=given.get("limit", _PAGE) + 1,
    )
    if isinstance(found, str):
        return {"error": found}
    return _page(found, given, "matches", {"path": path, "query": query})


def _write(context: Context, given: Arguments, max_bytes: int) -> dict[str, Any]:
    path, content = given["path"], encode(given["content"])
    if len(content) > max_bytes:
        return {
            "error": f"Content too large: {len(content)} bytes exceeds the {max_bytes}-byte"
            " write cap. Use the edit tool for incremental changes to existing files, or split"
            " the content into multiple files."
        }
    where = context.resolve(path)
    try:
        with context.changing("write"):
            written = context.files.write(where, content, parents=True)
    except NotDirectoryError:
        in_the_way = _file_on_the_way(context, where)
        return {"error": f"path exists: {in_the_way}: {in_the_way}"}
    return {"path": path, "bytesWritten": written.size}


def _file_on_the_way(context: Context, where: str) -> str:
    """Return the part of a path that stands where a directory is needed."""
    while where != "/":
        where = where.rpartition("/")[0] or "/"
        if context.files.exists(where) and context.files.stat(where).kind != "directory":
            return where
    return where


def _delete(context: Context, given: Arguments) -> dict[str, Any]:
    path = given["path"]
    where = context.resolve(path)
    if where == "/":
        return {"error": "cannot remove the root directory: /"}
    with context.changing("rm"):
        try:
            if given.get("recursive", False):
                context.files.remove_tree(where)
            elif context.files.stat(where, follow=False).kind == "directory":
                context.files.rmdir(where)
            else:
                context.files.unlink(where)
        except NotFoundError:
            pass  # the original forces, too
    return {"deleted": path}

"""What calls of the MCP filesystem server's tools do; `mcp_fs.py` declares them."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from vshell.errors import (
    BadPatternError,
    EmptyOldError,
    ExistsError,
    IsDirectoryError,
    NoMatchError,
    NotDirectoryError,
    NotFoundError,
    VshellError,
)
from vshell.fs.paths import lexical, split
from vshell.fs.schema import DIRECTORY
from vshell.ops.context import Context
from vshell.ops.glob import glob
from vshell.ops.ls import Entry, ls
from vshell.text.edits import apply_levels
from vshell.text.globs import compile_glob
from vshell.tools.media import IMAGES, SOUNDS, ending_of
from vshell.tools.profile import Arguments
from vshell.tools.result import Attachment, ToolError, ToolResult

_MAX_MEDIA_BYTES: Final = 20 * 1024 * 1024
_MAX_TREE_ENTRIES: Final = 20_000
_MAX_ENTRIES: Final = 10_000
_TYPES: Final = IMAGES | SOUNDS | {".svg": "image/svg+xml"}


def render_error(error: VshellError) -> str:
    """Return an error of vshell as Node's own would read."""
    codes = {
        NotFoundError: "ENOENT: no such file or directory",
        IsDirectoryError: "EISDIR: illegal operation on a directory",
        NotDirectoryError: "ENOTDIR: not a directory",
    }
    for kind, words in codes.items():
        if isinstance(error, kind):
            return f"{words}: '{error.filename}'"
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error}{hint}"


def _told(message: str) -> ToolResult:
    return ToolResult(message, structured={"content": message})


def _text_of(context: Context, path: str) -> str:
    where = context.resolve(path)
    data, stat = context.files.read_with_stat(where)
    context.note_read(where, stat.hash)
    return data.decode("utf-8", "replace")


def run_read_text(context: Context, given: Arguments) -> ToolResult:
    """Return a file's text, or its first or last lines."""
    if "head" in given and "tail" in given:
        raise ToolError("Cannot specify both head and tail parameters simultaneously")
    content = _text_of(context, given["path"])
    if "head" in given:
        content = "\n".join(content.split("\n")[: int(given["head"])])
    elif "tail" in given:
        # What is after the last newline counts as a line, as it does there.
        content = "\n".join(content.split("\n")[-int(given["tail"]) :])
    return _told(content)


def run_read_media(context: Context, given: Arguments) -> ToolResult:
    """Return an image or a sound."""
    where = context.resolve(given["path"])
    if context.files.stat(where).size > _MAX_MEDIA_BYTES:
        raise ToolError(f"File too large: {_MAX_MEDIA_BYTES} bytes can be shown: {given['path']}")
    data, _ = context.files.read_with_stat(where)
    media_type = _TYPES.get(ending_of(where), "application/octet-stream")
    encoded = base64.b64encode(data).decode()
    kind = media_type.partition("/")[0]
    if kind in ("image", "audio"):
        item: dict[str, Any] = {"type": kind, "data": encoded, "mimeType": media_type}
    else:
        resource = {"uri": f"file://{where}", "mimeType": media_type, "blob": encoded}
        item = {"type": "resource", "resource": resource}
    shown = Attachment(data, media_type, where)
    return ToolResult("", structured={"content": [item]}, attachments=(shown,))


def run_read_multiple(context: Context, given: Arguments) -> ToolResult:
    """Return the text of several files."""
    parts = []
    for path in given["paths"]:
        try:
            parts.append(f"{path}:\n{_text_of(context, path)}\n")
        except VshellError as error:
            parts.append(f"{path}: Error - {render_error(error)}")
    return _told("\n---\n".join(parts))


def run_write(context: Context, given: Arguments) -> ToolResult:
    """Write a file."""
    where = context.resolve(given["path"])
    if not context.files.exists(split(lexical(where))[0]):
        raise ToolError(f"ENOENT: no such file or directory, open '{where}'")
    context.files.write(where, given["content"].encode("utf-8", "surrogateescape"))
    return _told(f"Successfully wrote to {given['path']}")


def run_edit(context: Context, given: Arguments) -> ToolResult:
    """Replace text in a file."""
    path = given["path"]
    where = context.resolve(path)
    data, _ = context.files.read_with_stat(where)
    edited = data
    for each in given["edits"]:
        edited = _replaced(edited, each["oldText"], each["newText"], path)
    if edited != data and not given.get("dryRun", False):
        context.files.write(where, edited)
    return _told(_fenced(_diff(path, data, edited)))


def _replaced(data: bytes, old: str, new: str, path: str) -> bytes:
    """Return a file's bytes with the first occurrence of a text replaced."""
    exact = old.encode("utf-8", "surrogateescape")
    for wanted in (exact, exact.replace(b"\n", b"\r\n")):
        if wanted and wanted in data:
            value = new.encode("utf-8", "surrogateescape")
            if b"\r\n" in wanted:
                value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            return data.replace(wanted, value, 1)
    if not old:
        raise EmptyOldError("oldText must not be empty", path=path)
    try:
        edits = [{"old": old, "new": new}]
        return apply_levels(data, edits, path=path, levels=("strip",), unchanged=True).data
    except NoMatchError as error:
        near = error.data.get("near") or []
        told = f"\nThe nearest text is at line {near[0]['line']}." if near else ""
        raise ToolError(f"Could not find exact match for edit:\n{old}{told}") from None


def _diff(path: str, old: bytes, new: bytes) -> str:
    from vshell.text.unified import diff_hunks, format_hunk, split_lines

    hunks = diff_hunks(split_lines(old), split_lines(new), context=4)
    body = b"".join(format_hunk(hunk, always_counts=True) for hunk in hunks)
    rule = "=" * 67
    head = f"Index: {path}\n{rule}\n--- {path}\toriginal\n+++ {path}\tmodified\n"
    return head + body.decode("utf-8", "replace")


def _fenced(diff: str) -> str:
    longest = max((len(run) for run in re.findall("`+", diff)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{diff}{fence}\n\n"


def run_create_directory(context: Context, given: Arguments) -> ToolResult:
    """Make a directory and its parents."""
    context.files.mkdir(context.resolve(given["path"]), parents=True, exist_ok=True)
    return _told(f"Successfully created directory {given['path']}")


def _entries(context: Context, given: Arguments) -> tuple[list[Entry], str]:
    """Return what is in a directory, and a line that says so when that is not all."""
    found = ls(context, given["path"], limit=_MAX_ENTRIES)
    entries = sorted(found.entries, key=lambda entry: entry.name)
    more = f"\n[{found.total - _MAX_ENTRIES} more entries]" if found.truncated else ""
    return entries, more


def _sign(entry: Entry) -> str:
    return "[DIR]" if entry.kind == "directory" else "[FILE]"


def run_list_directory(context: Context, given: Arguments) -> ToolResult:
    """List a directory."""
    entries, more = _entries(context, given)
    return _told("\n".join(f"{_sign(entry)} {entry.name}" for entry in entries) + more)


def run_list_with_sizes(context: Context, given: Arguments) -> ToolResult:
    """List a directory with sizes."""
    entries, more = _entries(context, given)
    if given.get("sortBy") == "size":
        entries.sort(key=lambda entry: -entry.size)
    rows = [
        f"{_sign(entry)} {entry.name:<30} "
        + ("" if entry.kind == "directory" else f"{_size(entry.size):>10}")
        for entry in entries
    ]
    files = [entry for entry in entries if entry.kind != "directory"]
    total = sum(entry.size for entry in files)
    rows += ["", f"Total: {len(files)} files, {len(entries) - len(files)} directories"]
    rows.append(f"Combined size: {_size(total)}")
    return _told("\n".join(rows) + more)


def _size(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    value, place = float(size), 0
    while value >= 1024 and place < 4:
        value, place = value / 1024, place + 1
    return f"{value:.2f} {('B', 'KB', 'MB', 'GB', 'TB')[place]}"


def _excluded(patterns: list[str]) -> Any:
    """Return a function that tells whether a relative path is left out."""
    if len(patterns) > 100:
        raise BadPatternError("there are more than 100 patterns of what to leave out")
    globs = [
        compile_glob(form, dotfiles=True)
        for pattern in patterns
        for form in ([pattern] if "*" in pattern else [pattern, f"**/{pattern}"])
    ]
    return lambda path, is_directory: any(
        each.match(path, is_directory=is_directory) for each in globs
    )


def run_directory_tree(context: Context, given: Arguments) -> ToolResult:
    """Return a directory and all below it as JSON."""
    where = context.resolve(given["path"])
    excluded = _excluded(given.get("excludePatterns", []))
    base = len(context.files.realpath(where).rstrip("/")) + 1
    rows = sorted(context.files.walk(where), key=lambda row: row.path.split("/"))
    if len(rows) > _MAX_TREE_ENTRIES:
        raise ToolError(
            f"The tree has more than {_MAX_TREE_ENTRIES} entries. Choose a directory further down,"
            " or use search_files."
        )
    root: list[dict[str, Any]] = []
    children: dict[str, list[dict[str, Any]]] = {"": root}
    for row in rows:
        path, is_directory = row.path[base:], row.kind == DIRECTORY
        directory, _, name = path.rpartition("/")
        if directory not in children or excluded(path, is_directory):
            continue
        node: dict[str, Any] = {"name": name, "type": "directory" if is_directory else "file"}
        if is_directory:
            children[path] = node["children"] = []
        children[directory].append(node)
    try:
        return _told(json.dumps(root, indent=2, ensure_ascii=False))
    except RecursionError:
        raise ToolError("The tree is too deep. Choose a directory further down.") from None


def run_move(context: Context, given: Arguments) -> ToolResult:
    """Move a file or directory."""
    source, destination = given["source"], given["destination"]
    parent = split(lexical(context.resolve(destination)))[0]
    if not context.files.exists(parent):
        raise ToolError(f"Parent directory does not exist: {parent}")
    try:
        context.files.rename(context.resolve(source), context.resolve(destination), overwrite=False)
    except ExistsError:
        raise ToolError(f"Destination already exists: {destination}") from None
    return _told(f"Successfully moved {source} to {destination}")


def run_search(context: Context, given: Arguments) -> ToolResult:
    """Find files and directories by a glob."""
    where = context.resolve(given["path"])
    excluded = _excluded(given.get("excludePatterns", []))
    base = len(where.rstrip("/")) + 1
    if not context.files.exists(where):
        raise NotFoundError(f"no such directory: {where}", path=where)
    found = [
        path
        for path in glob(context, given["pattern"], path=where).paths
        if not excluded(path[base:], False)
    ]
    if len(found) > _MAX_ENTRIES:
        found = [*found[:_MAX_ENTRIES], f"[{len(found) - _MAX_ENTRIES} more matches]"]
    return _told("\n".join(found) if found else "No matches found")


def run_info(context: Context, given: Arguments) -> ToolResult:
    """Return what is known of a file or directory."""
    stat = context.files.stat(context.resolve(given["path"]))
    changed = _time(stat.mtime_ns)
    is_directory = stat.kind == "directory"
    facts = {
        "size": stat.size,
        "created": _time(stat.ctime_ns),
        "modified": changed,
        "accessed": changed,
        "isDirectory": str(is_directory).lower(),
        "isFile": str(not is_directory).lower(),
        "permissions": f"{stat.mode & 0o777:o}",
    }
    return _told("\n".join(f"{name}: {value}" for name, value in facts.items()))


def _time(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat()
    except (OverflowError, ValueError):  # 64 bits of nanoseconds are more years than 9999
        return f"{time_ns // 10**9} s"


def allowed_directories() -> ToolResult:
    """Name what may be accessed: all of the workspace."""
    return _told("Allowed directories:\n/")

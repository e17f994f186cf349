"""What calls of Gemini CLI's tools do; `gemini.py` declares them."""

from __future__ import annotations

import fnmatch
from typing import Any, Final

from vshell.errors import (
    BinaryFileError,
    IsDirectoryError,
    NotFoundError,
    VshellError,
)
from vshell.ops.context import Context
from vshell.ops.glob import glob
from vshell.ops.ls import ls
from vshell.tools.commands import CommandRunner, keep_ends
from vshell.tools.media import DOCUMENTS, IMAGES, SOUNDS, attachment
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.window import lines_of, shortened, window

_MAX_LINES: Final = 2000
_LINE_CHARACTERS: Final = 2000
_MAX_BYTES: Final = 20 * 1024 * 1024
_MAX_SHOWN_BYTES: Final = 1024 * 1024
_ENTRIES: Final = 10_000
_RECENT_NS: Final = 24 * 3600 * 10**9
_TIMEOUT_S: Final = 300.0
_MAX_OUTPUT_CHARACTERS: Final = 40_000


def render_error(error: VshellError) -> str:
    """Return an error of vshell in Gemini CLI's words, where it has some."""
    match error:
        case NotFoundError():
            return "Could not read file because no file was found at the specified path."
        case IsDirectoryError():
            return "Could not read file because the provided path is a directory, not a file."
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error}{hint}"


def run_list(context: Context, given: Arguments) -> str:
    """List a directory."""
    where = context.resolve(given["dir_path"])
    if not context.files.exists(where):
        raise ToolError(
            f"Error listing directory: ENOENT: no such file or directory, stat '{where}'"
        )
    if context.files.stat(where).kind != "directory":
        raise ToolError(f"Error: Path is not a directory: {where}")
    found = ls(context, where, limit=_ENTRIES)
    kept = [
        entry
        for entry in found.entries
        if not any(fnmatch.fnmatchcase(entry.name, each) for each in given.get("ignore", ()))
    ]
    if not kept:
        return f"Directory {where} is empty."
    kept.sort(key=lambda entry: (entry.kind != "directory", entry.name))
    lines = [
        f"[DIR] {entry.name}" if entry.kind == "directory" else f"{entry.name} ({entry.size} bytes)"
        for entry in kept
    ]
    ignored = len(found.entries) - len(kept)
    notes = [f"({ignored} ignored)"] if ignored else []
    notes += [f"({found.total - _ENTRIES} more entries)"] if found.truncated else []
    return "\n".join([f"Directory listing for {where}:", *lines, *([""] if notes else []), *notes])


def run_read(context: Context, given: Arguments) -> Any:
    """Return a file's text, or what there is of it beside the limits."""
    path = given["file_path"]
    where = context.resolve(path)
    stat = context.files.stat(where)
    if stat.size > _MAX_BYTES:
        raise ToolError(f"File size exceeds the 20MB limit: {where} ({stat.size / 1024**2:.2f}MB)")
    try:
        lines = lines_of(context, where)
    except BinaryFileError:
        data, _ = context.files.read_with_stat(where)
        media = attachment(where, data, IMAGES | DOCUMENTS | SOUNDS)
        if media is None:
            return f"Cannot display content of binary file: {path}"
        return ToolResult(f"Read {media.media_type} file: {path}", attachments=(media,))
    first = int(given.get("start_line", int(given.get("offset", 0)) + 1))
    last = int(given.get("end_line", first - 1 + int(given.get("limit", _MAX_LINES))))
    if last < first:
        raise ToolError(f"start_line ({first}) cannot be greater than end_line ({last})")
    if first > len(lines):
        raise ToolError(f"start_line {first} is beyond the end: the file has {len(lines)} lines")
    asked = min(last, len(lines)) - first + 1
    found = window(lines, first - 1, asked, max_lines=_MAX_LINES, max_bytes=_MAX_SHOWN_BYTES)
    body = "\n".join(shortened(line, _LINE_CHARACTERS, "... [truncated]") for line in found.lines)
    is_whole = first == 1 and found.end >= len(lines)
    if is_whole and all(len(line) <= _LINE_CHARACTERS for line in found.lines):
        return body
    return (
        "\nIMPORTANT: The file content has been truncated.\n"
        f"Status: Showing lines {first}-{found.end} of {len(lines)} total lines.\n"
        "Action: To read more of the file, you can use the 'start_line' and 'end_line' parameters"
        f" in a subsequent 'read_file' call. For example, to read the next section of the file, use"
        f" start_line: {found.end + 1}.\n\n--- FILE CONTENT (truncated) ---\n{body}"
    )


def run_read_many(context: Context, given: Arguments) -> str:
    """Return the text of several files."""
    wanted: dict[str, None] = {}
    left_out: set[str] = set()
    for pattern in given.get("exclude", ()):
        left_out |= set(glob(context, pattern, path=context.cwd).paths)
    for pattern in given["include"]:
        wanted |= dict.fromkeys(glob(context, pattern, path=context.cwd, ignore=True).paths)
    parts, size, skipped = [], 0, []
    for path in wanted:
        if path in left_out or context.files.stat(path).kind != "file":
            continue
        try:
            body = "\n".join(lines_of(context, path)[:_MAX_LINES])
        except VshellError as error:
            skipped.append(f"{path}: {error}")
            continue
        size += len(body)
        if size > _MAX_OUTPUT_CHARACTERS * 10:
            skipped.append(f"{path}: too much text for one call; read it with read_file")
            continue
        parts.append(f"--- {path} ---\n\n{body}\n")
    if not parts and not skipped:
        return "No files matching the criteria were found or all were skipped."
    told = "\n".join(f"(skipped {each})" for each in skipped)
    return "\n".join([*parts, "--- End of content ---", *([told] if told else [])])


def run_glob(context: Context, given: Arguments) -> str:
    """Find files by a glob."""
    start = context.resolve(given.get("dir_path", context.cwd))
    found = glob(
        context, given["pattern"], path=start, ignore=given.get("respect_git_ignore", True)
    )
    files = [
        (context.files.stat(path).mtime_ns, path)
        for path in found.paths
        if context.files.exists(path) and context.files.stat(path).kind == "file"
    ]
    if not files:
        return f'No files found matching pattern "{given["pattern"]}" within {start}'
    newest = max(time_ns for time_ns, _ in files)
    recent = sorted((each for each in files if newest - each[0] < _RECENT_NS), reverse=True)
    older = sorted(path for time_ns, path in files if newest - time_ns >= _RECENT_NS)
    paths = [path for _, path in recent] + older
    more = f"\n({len(paths) - _ENTRIES} more files)" if len(paths) > _ENTRIES else ""
    listed = "\n".join(paths[:_ENTRIES])
    return (
        f'Found {len(paths)} file(s) matching "{given["pattern"]}" within {start}, sorted by'
        f" modification time (newest first):\n{listed}{more}"
    )


def run_command(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    if given.get("is_background"):
        raise ToolError("Commands cannot run in the background here. Set is_background to false.")
    seconds = min(given.get("timeout") or _TIMEOUT_S, _TIMEOUT_S)
    ran = runner.run(given["command"], timeout_s=seconds, cwd=given.get("dir_path"))
    output = keep_ends(ran.output.rstrip("\n"), _MAX_OUTPUT_CHARACTERS)
    if ran.timed_out:
        told = (
            f"Command was automatically cancelled because it took longer than {seconds:g} seconds."
        )
        told += (
            f" Below is the output before it was cancelled:\n{output}"
            if output
            else " There was no output before it was cancelled."
        )
    else:
        told = f"Output: {output or '(empty)'}"
        told += f"\nExit Code: {ran.exit_code}" if ran.exit_code else ""
    return ToolResult(_untrusted(told), is_error=ran.timed_out)


def _untrusted(told: str) -> str:
    """Return what a command printed, marked as nothing that a model has to obey."""
    return f"<untrusted_context>\n{told}\n</untrusted_context>"

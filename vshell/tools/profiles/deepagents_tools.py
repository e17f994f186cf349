"""What calls of deepagents' tools do; `deepagents.py` declares them."""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import (
    BinaryFileError,
    EmptyOldError,
    IsDirectoryError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    NotDirectoryError,
    NotFoundError,
    VshellError,
)
from vshell.limits import WALK_ENTRIES
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.glob import glob
from vshell.ops.grep import GrepResult, grep
from vshell.ops.ls import ls
from vshell.ops.write import write
from vshell.tools.commands import CommandRunner
from vshell.tools.media import DOCUMENTS, IMAGES, SOUNDS, attachment
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.window import lines_of, window

LINES: Final = 100
_MAX_BYTES: Final = 256 * 1024
_MAX_MEDIA_BYTES: Final = 512_000
_MAX_OUTPUT_CHARACTERS: Final = 80_000
_MATCHES: Final = 1000
_TIMEOUT_S: Final = 120.0


def render_error(error: VshellError) -> str:
    """Return an error of vshell in deepagents' words, where it has some."""
    if isinstance(error, NotFoundError):
        return f"Error: File '{error.filename}' not found"
    hint = f" ({error.hint})" if error.hint else ""
    return f"Error: {error}{hint}"


def run_ls(context: Context, given: Arguments) -> str:
    """List a directory."""
    try:
        found = ls(context, given["path"], limit=WALK_ENTRIES)
    except NotFoundError:
        raise ToolError(f"Error: Path '{given['path']}': path_not_found") from None
    except NotDirectoryError:
        raise ToolError(f"Error: Path '{given['path']}': not_a_directory") from None
    paths = [entry.path + ("/" if entry.kind == "directory" else "") for entry in found.entries]
    return _clipped(str(paths))


def run_read(context: Context, given: Arguments) -> Any:
    """Return a file's text, or what there is of it beside the limits."""
    path, start = given["file_path"], int(given.get("offset", 0))
    where = context.resolve(path)
    try:
        lines = lines_of(context, path)
    except BinaryFileError:
        return _media(context, path, where)
    except NotFoundError:
        raise ToolError(f"Error: File '{path}' not found") from None
    if lines == [""]:
        return "@@ lines 1-1 @@\nSystem reminder: File exists but has empty contents"
    if not lines[-1]:
        lines.pop()
    if start >= len(lines):
        raise ToolError(f"Error: Line offset {start} exceeds file length ({len(lines)} lines)")
    limit = int(given.get("limit", LINES))
    shown = window(lines, start, limit, max_lines=limit, max_bytes=_MAX_BYTES)
    more = "" if shown.end >= shown.total else f" | next offset {shown.end}"
    head = f"@@ lines {start + 1}-{shown.end} of {shown.total}{more} @@"
    return "\n".join([head, *shown.lines])


def _media(context: Context, path: str, where: str) -> ToolResult:
    size = context.files.stat(where).size
    if size > _MAX_MEDIA_BYTES:
        raise ToolError(
            f"Error: File '{path}': Binary file exceeds maximum preview size of {_MAX_MEDIA_BYTES}"
            " bytes"
        )
    data, _ = context.files.read_with_stat(where)
    found = attachment(where, data, IMAGES | DOCUMENTS | SOUNDS)
    if found is None:
        raise ToolError(f"Error: File '{path}' is binary ({size} bytes) and cannot be shown")
    return ToolResult(f"{found.media_type} file, {size} bytes", attachments=(found,))


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    path = given["file_path"]
    try:
        write(context, path, given["content"])
    except IsDirectoryError:
        raise ToolError(f"Error: Path '{path}' is a directory") from None
    return f"Updated file {path}"


def run_edit(context: Context, given: Arguments) -> str:
    """Replace text in a file."""
    path, old, new = given["file_path"], given["old_string"], given["new_string"]
    every = given.get("replace_all", False)
    try:
        done = edit(context, path, {"old": old, "new": new, "replace_all": every})
    except EmptyOldError:
        raise ToolError("Error: old_string cannot be empty") from None
    except NoChangeError:
        raise ToolError("Error: old_string and new_string are the same") from None
    except NoMatchError:
        raise ToolError(_not_found(context, path, old)) from None
    except MultipleMatchesError as error:
        raise ToolError(
            f"Error: String '{old}' appears {error.data['count']} times in file. Use"
            " replace_all=True to replace all instances, or provide a more specific string with"
            " surrounding context."
        ) from None
    except NotFoundError:
        raise ToolError(f"Error: File '{path}' not found") from None
    return f"Successfully replaced {done.replacements} instance(s) of the string in '{path}'"


def _not_found(context: Context, path: str, old: str) -> str:
    data, _ = context.files.read_with_stat(context.resolve(path))
    ended = old.removesuffix("\n").encode("utf-8", "surrogateescape")
    if old.endswith("\n") and data.endswith(ended) and ended:
        return (
            "Error: old_string ends with a newline, but the file does not. Remove the final newline"
            " from old_string."
        )
    return f"Error: String not found in file: '{old}'"


def run_glob(context: Context, given: Arguments) -> str:
    """Find files by a glob."""
    pattern, start = given["pattern"], given.get("path", "/")
    if ".." in pattern.split("/"):
        raise ToolError("Error: Path traversal ('..') is not allowed in glob patterns")
    anchored = pattern if "/" in pattern else f"**/{pattern}"
    found = glob(context, anchored.removeprefix("/"), path=start, dotfiles=False)
    files = [path for path in found.paths if context.files.stat(path, follow=False).kind == "file"]
    return _clipped(str(files)) if files else "No files found"


def run_grep(context: Context, given: Arguments) -> str:
    """Search the text of files."""
    mode = given.get("output_mode", "files_with_matches")
    most = min(int(given.get("max_count", _MATCHES)), _MATCHES)
    found = grep(
        context,
        given["pattern"],
        path=given.get("path", "/"),
        include=given.get("glob"),
        literal=True,
        max_matches=most,
    )
    if not found.matches:
        return "No matches found"
    rendered = {"content": _content, "count": _counts}.get(mode, _files)(found)
    if found.truncated:
        rendered += f"\n[more than {most} matches: narrow the path, glob or pattern]"
    return _clipped(rendered)


def _files(found: GrepResult) -> str:
    return "\n".join(dict.fromkeys(match.path for match in found.matches))


def _content(found: GrepResult) -> str:
    lines: list[str] = []
    last = ""
    for match in found.matches:
        lines += [f"{match.path}:"] if match.path != last else []
        lines.append(f"  {match.line}: {match.text}")
        last = match.path
    return "\n".join(lines)


def _counts(found: GrepResult) -> str:
    totals: dict[str, int] = {}
    for match in found.matches:
        totals[match.path] = totals.get(match.path, 0) + 1
    return "\n".join(f"{path}: {total}" for path, total in totals.items())


def _clipped(shown: str) -> str:
    if len(shown) <= _MAX_OUTPUT_CHARACTERS:
        return shown
    return (
        shown[:_MAX_OUTPUT_CHARACTERS]
        + "\n... [results truncated, try being more specific with your parameters]"
    )


def run_execute(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    ran = runner.run(given["command"], timeout_s=float(given.get("timeout", _TIMEOUT_S)))
    output = _clipped(ran.output)
    if ran.timed_out:
        return ToolResult(f"{output}\n[Command timed out]", is_error=True)
    status = "succeeded" if not ran.exit_code else "failed"
    return ToolResult(f"{output}\n[Command {status} with exit code {ran.exit_code}]")

"""What calls of Claude Code's tools do; `claude.py` declares them."""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import (
    BinaryFileError,
    EmptyOldError,
    ExistsError,
    IsDirectoryError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    NotFoundError,
    NotReadError,
    RangeError,
    ReadOnlyError,
    StaleError,
    VshellError,
)
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.glob import glob
from vshell.ops.read import read
from vshell.ops.write import write
from vshell.tools.commands import CommandRunner, keep_ends
from vshell.tools.media import DOCUMENTS, IMAGES, attachment
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.schema_parts import text

_MAX_LINES: Final = 2000
_MAX_LINE_CHARACTERS: Final = 2000
_MAX_GLOB_PATHS: Final = 100
_MAX_OUTPUT_CHARACTERS: Final = 30_000
_DEFAULT_TIMEOUT_MS: Final = 120_000
_MAX_TIMEOUT_MS: Final = 600_000
_MAX_MEDIA_BYTES: Final = 20 * 1024 * 1024

_PATH: Final = text("The absolute path to the file to modify")
_ALIASES: Final = {"path": "file_path", "filename": "file_path", "file": "file_path"}


def render_error(error: VshellError) -> str:
    """Return an error of vshell in Claude Code's words, where it has some."""
    match error:
        case NotReadError():
            return "File has not been read yet. Read it first before writing to it."
        case StaleError():
            return (
                "File has been modified since read, either by the user or by a linter. Read it"
                " again before attempting to write it."
            )
        case IsDirectoryError():
            return "EISDIR: illegal operation on a directory, read"
        case NotFoundError():
            return f"File does not exist: {error.filename}."
        case ReadOnlyError():
            return f"Permission denied: {error}"
    hint = f" ({error.hint})" if error.hint else ""
    return f"{type(error).__name__.removesuffix('Error')}: {error}{hint}"


def explain_mistake(name: str, broken: list[dict[str, str]]) -> str:
    issues = "issue" if len(broken) == 1 else "issues"
    lines = [f"InputValidationError: {name} failed due to the following {issues}:"]
    for found in broken:
        path, message = found["path"], found["message"]
        if message.endswith("received undefined"):
            lines.append(f"The required parameter `{path}` is missing")
        elif message.startswith("Unrecognized key"):
            unknown = message.partition('"')[2][:-1]
            lines.append(f"An unexpected parameter `{unknown[:100]}` was provided")
        elif " received " in message and "expected " in message:
            expected, _, received = message.partition("expected ")[2].partition(", received ")
            lines.append(
                f"The parameter `{path}` type is expected as `{expected}` but provided as"
                f" `{received}`"
            )
        else:
            lines.append(f"The parameter `{path}` is wrong: {message}")
    return "\n".join(lines)


def run_read(context: Context, given: Arguments) -> Any:
    """Return a file's text, or what there is of it beside the limits."""
    path = given["file_path"]
    start = max(1, int(given.get("offset", 1)))
    try:
        found = read(context, path, start_line=start, max_lines=int(given.get("limit", _MAX_LINES)))
    except BinaryFileError:
        return _show(context, path)
    except RangeError as error:
        total = error.data.get("total_lines", 0)
        return (
            "<system-reminder>Warning: the file exists but is shorter than the provided offset"
            f" ({start}). The file has {total} lines.</system-reminder>"
        )
    except NotFoundError:
        raise ToolError(_missing(context, path)) from None
    if not found.total_bytes:
        return (
            "<system-reminder>Warning: the file exists but the contents are empty."
            "</system-reminder>"
        )
    lines = found.text.removesuffix("\n").split("\n")
    numbered = "\n".join(
        f"{number}\t{_shortened(line)}" for number, line in enumerate(lines, found.start_line)
    )
    if found.next_line is None and found.next_byte is None:
        return numbered
    more = found.next_line if found.next_line is not None else found.end_line + 1
    return (
        f"{numbered}\n\n<system-reminder>Showing lines {found.start_line}-{found.end_line} of"
        f" {found.total_lines}. Read on with offset={more}.</system-reminder>"
    )


def _shortened(line: str) -> str:
    if len(line) <= _MAX_LINE_CHARACTERS:
        return line
    return line[:_MAX_LINE_CHARACTERS] + "... [truncated]"


def _show(context: Context, path: str) -> ToolResult:
    where = context.resolve(path)
    stat = context.files.stat(where)
    if stat.size > _MAX_MEDIA_BYTES:
        raise ToolError(f"File content ({stat.size} bytes) exceeds maximum allowed size.")
    data, seen = context.files.read_with_stat(where)
    found = attachment(where, data, IMAGES | DOCUMENTS)
    if found is None:
        raise ToolError(
            "This tool cannot read binary files. The file appears to be a binary"
            f" {where.rpartition('.')[2]} file. Please use appropriate tools for binary file"
            " analysis."
        )
    context.note_read(where, seen.hash)
    kind = "Image" if found.media_type.startswith("image/") else "PDF"
    return ToolResult(f"{kind} read: {path} ({len(data)} bytes)", attachments=(found,))


def _missing(context: Context, path: str) -> str:
    """Return the text for a file that is not there, with one of that name elsewhere."""
    name = path.rpartition("/")[2]
    special = any(character in name for character in "*?[]{}\\!")
    near = glob(context, f"**/{name}", limit=1).paths if name and not special else ()
    guess = f" Did you mean {near[0]}?" if near else ""
    return f"File does not exist. Note: your current working directory is {context.cwd}.{guess}"


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    path = given["file_path"]
    done = write(context, path, given["content"])
    if done.created:
        return f"File created successfully at: {path}"
    return f"The file {path} has been updated successfully."


def run_edit(context: Context, given: Arguments) -> str:
    """Replace text in a file."""
    path, old, new = given["file_path"], given["old_string"], given["new_string"]
    every = given.get("replace_all", False)
    if old == new:
        raise ToolError("No changes to make: old_string and new_string are exactly the same.")
    if not old:
        return _create(context, path, new)
    try:
        edit(context, path, {"old": old, "new": new, "replace_all": every}, fuzz="none")
    except NoMatchError as exact:
        # Models write straight quotes where a file has curly ones, and nothing looser is safe.
        if not _has_quotes(old):
            raise ToolError(_not_found(old, exact)) from None
        _edit_quotes(context, path, given)
    except MultipleMatchesError as error:
        raise ToolError(_not_unique(old, error)) from None
    except (NoChangeError, EmptyOldError) as error:
        raise ToolError(str(error)) from None
    except NotFoundError:
        raise ToolError(_missing(context, path)) from None
    if every:
        return f"The file {path} has been updated. All occurrences were successfully replaced."
    return f"The file {path} has been updated successfully."


def _edit_quotes(context: Context, path: str, given: Arguments) -> None:
    old = given["old_string"]
    change = {
        "old": old,
        "new": given["new_string"],
        "replace_all": given.get("replace_all", False),
    }
    try:
        edit(context, path, change, fuzz="unicode")
    except NoMatchError as error:
        raise ToolError(_not_found(old, error)) from None
    except MultipleMatchesError as error:
        raise ToolError(_not_unique(old, error)) from None


def _create(context: Context, path: str, content: str) -> str:
    where = context.resolve(path)
    if context.files.exists(where) and context.files.stat(where).size:
        raise ToolError("Cannot create new file - file already exists.")
    try:
        write(context, path, content, exist_ok=True)
    except ExistsError:
        raise ToolError("Cannot create new file - file already exists.") from None
    return f"File created successfully at: {path}"


def _has_quotes(value: str) -> bool:
    return any(quote in value for quote in "'\"‘’“”")


def _not_found(old: str, error: NoMatchError) -> str:
    message = f"String to replace not found in file.\nString: {_start(old)}"
    near = error.data.get("near") or []
    if near:
        lines = ", ".join(str(place["line"]) for place in near[:3])
        message += (
            f"\nThe nearest text is at line {lines}. Read the file there and copy it exactly."
        )
    return message


def _not_unique(old: str, error: MultipleMatchesError) -> str:
    return (
        f"Found {error.data['count']} matches of the string to replace, but replace_all is false."
        " To replace all occurrences, set replace_all to true. To replace only one occurrence,"
        " please provide more context to uniquely identify the instance.\n"
        f"String: {_start(old)}"
    )


def _start(value: str) -> str:
    return value if len(value) <= 2000 else f"{value[:2000]}... [{len(value)} characters]"


def run_glob(context: Context, given: Arguments) -> str:
    """Find files by a glob."""
    start = given.get("path", context.cwd)
    found = glob(context, given["pattern"], path=start, sort="newest", limit=None)
    files = [path for path in found.paths if context.files.stat(path, follow=False).kind == "file"]
    if not files:
        return "No files found"
    shown = "\n".join(files[:_MAX_GLOB_PATHS])
    if len(files) > _MAX_GLOB_PATHS or found.truncated:
        shown += (
            f"\n(Results are truncated: {_MAX_GLOB_PATHS} of {len(files)}. Consider using a more"
            " specific path or pattern.)"
        )
    return shown


def run_bash(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    if given.get("run_in_background"):
        raise ToolError(
            "Commands cannot run in the background here. Set run_in_background to false."
        )
    timeout_ms = min(int(given.get("timeout", _DEFAULT_TIMEOUT_MS)), _MAX_TIMEOUT_MS)
    ran = runner.run(given["command"], timeout_s=timeout_ms / 1000)
    output = keep_ends(ran.output.rstrip("\n"), _MAX_OUTPUT_CHARACTERS)
    if ran.timed_out:
        told = f"Command timed out after {timeout_ms / 1000:g}s"
        return ToolResult(f"{told}\n{output}" if output else told, is_error=True)
    if ran.exit_code:
        told = f"Exit code {ran.exit_code}"
        return ToolResult(f"{told}\n{output}" if output else told, is_error=True)
    return ToolResult(output)

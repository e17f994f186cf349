"""What calls of OpenCode's tools do; `opencode.py` declares them."""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import (
    BinaryFileError,
    EditError,
    MultipleMatchesError,
    NoMatchError,
    NotFoundError,
    NotReadError,
    StaleError,
    VshellError,
)
from vshell.fs.paths import split
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.glob import glob
from vshell.ops.grep import grep
from vshell.ops.write import write
from vshell.tools.commands import CommandRunner, keep_tail
from vshell.tools.media import DOCUMENTS, IMAGES, attachment
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.window import lines_of, shortened, window

MAX_LINES: Final = 2000
_MAX_BYTES: Final = 50 * 1024
_LINE_CHARACTERS: Final = 2000
_FOUND: Final = 100
_ENTRIES: Final = 2000
_DEFAULT_TIMEOUT_MS: Final = 120_000
_MAX_TIMEOUT_MS: Final = 600_000


def render_error(error: VshellError) -> str:
    """Return an error of vshell in OpenCode's words, where it has some."""
    match error:
        case NotReadError():
            return (
                f"You must read file {error.filename} before overwriting it. Use the Read tool"
                " first"
            )
        case StaleError():
            return (
                f"File {error.filename} has been modified since it was last read. Please read the"
                " file again before modifying it."
            )
        case NotFoundError():
            return f"File {error.filename} not found"
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error}{hint}"


def run_read(context: Context, given: Arguments) -> Any:
    """Return a file's text, or what there is of it beside the limits."""
    path = given["filePath"]
    where = context.resolve(path)
    if not context.files.exists(where):
        raise ToolError(_missing(context, path, where))
    if context.files.stat(where).kind == "directory":
        return _directory(context, where, given)
    try:
        lines = lines_of(context, where)
    except BinaryFileError:
        return _media(context, path, where)
    lines = [line.removesuffix("\r") for line in lines]
    if not lines[-1]:
        lines.pop()
    start = max(1, int(given.get("offset", 1)))
    if start > max(1, len(lines)):
        raise ToolError(f"Offset {start} is out of range for this file ({len(lines)} lines)")
    cut = [
        shortened(line, _LINE_CHARACTERS, "... (line truncated to 2000 chars)") for line in lines
    ]
    asked = int(given.get("limit", MAX_LINES))
    shown = window(cut, start - 1, asked, max_lines=asked, max_bytes=_MAX_BYTES)
    body = "\n".join(f"{number}: {line}" for number, line in enumerate(shown.lines, start))
    if shown.cut_by == "bytes":
        note = (
            f"(Output capped at 50 KB. Showing lines {start}-{shown.end}. Use"
            f" offset={shown.end + 1} to continue.)"
        )
    elif shown.end < shown.total:
        note = (
            f"(Showing lines {start}-{shown.end} of {shown.total}. Use offset={shown.end + 1} to"
            " continue.)"
        )
    else:
        note = f"(End of file - total {shown.total} lines)"
    return f"<path>{where}</path>\n<type>file</type>\n<content>\n{body}\n\n{note}\n</content>"


def _missing(context: Context, path: str, where: str) -> str:
    directory, name = split(where)
    near: list[str] = []
    if context.files.exists(directory) and context.files.stat(directory).kind == "directory":
        folded = name.lower()
        near = [
            f"{directory.rstrip('/')}/{other}"
            for other in context.files.names(directory)
            if folded and (folded in other.lower() or other.lower() in folded)
        ]
    if not near:
        return f"File not found: {path}"
    return f"File not found: {path}\n\nDid you mean one of these?\n" + "\n".join(near[:3])


def _media(context: Context, path: str, where: str) -> ToolResult:
    data, _ = context.files.read_with_stat(where)
    shown = attachment(where, data, IMAGES | DOCUMENTS)
    if shown is None:
        raise ToolError(f"Cannot read binary file: {path}")
    kind = "Image" if shown.media_type.startswith("image/") else "PDF"
    return ToolResult(f"{kind} read successfully", attachments=(shown,))


def _directory(context: Context, where: str, given: Arguments) -> str:
    start = max(1, int(given.get("offset", 1)))
    limit = int(given.get("limit", _ENTRIES))
    entries, total = context.files.list_directory(where, limit=limit, offset=start - 1)
    names = [split(entry.path)[1] + ("/" if entry.kind == 2 else "") for entry in entries]
    end = start - 1 + len(names)
    note = (
        f"({total} entries)"
        if end >= total
        else f"(Showing {len(names)} of {total} entries. Use offset={end + 1} to continue.)"
    )
    body = "\n".join(names)
    return f"<path>{where}</path>\n<type>directory</type>\n<entries>\n{body}\n\n{note}\n</entries>"


def run_glob(context: Context, given: Arguments) -> str:
    """Find files by a glob."""
    found = glob(context, given["pattern"], path=given.get("path", context.cwd), sort="newest")
    files = [path for path in found.paths if context.files.stat(path, follow=False).kind == "file"]
    if not files:
        return "No files found"
    shown = "\n".join(files[:_FOUND])
    if len(files) > _FOUND:
        shown += (
            f"\n\n(Results are truncated: showing first {_FOUND} results. Consider using a more"
            " specific path or pattern.)"
        )
    return shown


def run_grep(context: Context, given: Arguments) -> str:
    """Search the text of files."""
    found = grep(
        context,
        given["pattern"],
        path=given.get("path", context.cwd),
        include=given.get("include"),
        max_matches=_FOUND,
        ignore=True,
    )
    if not found.matches:
        return "No files found"
    more = " (showing first 100)" if found.truncated else ""
    lines = [f"Found {len(found.matches)} matches{more}"]
    last = ""
    for match in found.matches:
        if match.path != last:
            lines += ([""] if last else []) + [f"{match.path}:"]
            last = match.path
        lines.append(f"  Line {match.line}: {match.text}\n")
    if found.truncated:
        lines.append(
            f"\n(Results are truncated: showing first {_FOUND} results. Consider using a more"
            " specific path or pattern.)"
        )
    return "\n".join(lines)


def run_edit(context: Context, given: Arguments) -> ToolResult:
    """Replace text in a file."""
    path, old, new = given["filePath"], given["oldString"], given["newString"]
    if old == new:
        raise ToolError("No changes to apply: oldString and newString are identical.")
    if not old:
        write(context, path, new)
        return ToolResult("Edit applied successfully.")
    every = given.get("replaceAll", False)
    try:
        done = edit(context, path, {"old": old, "new": new, "replace_all": every}, fuzz="unicode")
    except NoMatchError:
        try:
            change = {"old": old, "new": new, "replace_all": every}
            done = edit(context, path, change, fuzz="strip")
        except EditError as error:
            raise ToolError(_edit_message(error)) from None
    except EditError as error:
        raise ToolError(_edit_message(error)) from None
    return ToolResult("Edit applied successfully.", structured={"diff": done.patch})


def _edit_message(error: EditError) -> str:
    if isinstance(error, MultipleMatchesError):
        return (
            "Found multiple matches for oldString. Provide more surrounding context to make the"
            " match unique."
        )
    if isinstance(error, NoMatchError):
        near = error.data.get("near") or []
        told = f" The nearest text is at line {near[0]['line']}." if near else ""
        return (
            "Could not find oldString in the file. It must match exactly, including whitespace,"
            f" indentation, and line endings.{told}"
        )
    return str(error)


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    write(context, given["filePath"], given["content"])
    return "Wrote file successfully."


def run_bash(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    timeout_ms = min(int(given.get("timeout", _DEFAULT_TIMEOUT_MS)), _MAX_TIMEOUT_MS)
    ran = runner.run(given["command"], timeout_s=timeout_ms / 1000, cwd=given.get("workdir"))
    body, left_out = keep_tail(ran.output, max_lines=MAX_LINES, max_bytes=_MAX_BYTES)
    if left_out:
        body = f"...{left_out} lines truncated...\n\n{body}"
    notes = []
    if ran.timed_out:
        notes.append(f"bash tool terminated command after exceeding timeout {timeout_ms} ms")
    elif ran.exit_code:
        notes.append(f"exit code: {ran.exit_code}")
    if notes:
        told = "\n".join(notes)
        body = f"{body or '(no output)'}\n\n<bash_metadata>\n{told}\n</bash_metadata>"
    return ToolResult(
        body or "(no output)", is_error=ran.timed_out, structured={"exit": ran.exit_code}
    )

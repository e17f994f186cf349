"""What calls of Pi's tools do; `pi.py` declares them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vshell.errors import (
    EditError,
    EmptyOldError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    NotDirectoryError,
    NotFoundError,
    OverlappingEditsError,
    VshellError,
)
from vshell.fs.paths import split
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.glob import glob
from vshell.ops.grep import GrepResult, grep
from vshell.ops.ls import ls
from vshell.ops.write import write
from vshell.tools.commands import CommandRunner, keep_tail
from vshell.tools.match_lines import shown_lines
from vshell.tools.media import IMAGES, attachment, readable_size
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.schema_parts import text
from vshell.tools.window import lines_of, shortened, window

MAX_LINES: Final = 2000
_MAX_BYTES: Final = 50 * 1024
_SIZE: Final = "50.0KB"
_LINE_CHARACTERS: Final = 500
MATCHES: Final = 100
FOUND: Final = 1000
ENTRIES: Final = 500
_TIMEOUT_S: Final = 600.0
_PATH: Final = text("Path to the file (relative or absolute)")


def render_error(error: VshellError) -> str:
    """Return an error of vshell as Node's own would read."""
    if isinstance(error, NotFoundError):
        return f"ENOENT: no such file or directory, access '{error.filename}'"
    hint = f". {error.hint[0].upper()}{error.hint[1:]}." if error.hint else ""
    return f"{error}{hint}"


def run_read(context: Context, given: Arguments) -> Any:
    """Return a file's text, or what there is of it beside the limits."""
    path = given["path"]
    where = context.resolve(path)
    data, _ = context.files.read_with_stat(where)
    image = attachment(where, data, IMAGES)
    if image is not None:
        return ToolResult(f"Read image file [{image.media_type}]", attachments=(image,))
    lines = lines_of(context, path)
    start = max(0, int(given.get("offset", 1)) - 1)
    if start >= len(lines):
        raise ToolError(
            f"Offset {given['offset']} is beyond end of file ({len(lines)} lines total)"
        )
    limit = int(given["limit"]) if "limit" in given else None
    shown = window(lines, start, limit, max_lines=MAX_LINES, max_bytes=_MAX_BYTES)
    if not shown.lines and shown.cut_by:
        size = readable_size(len(lines[start].encode("utf-8", "surrogateescape")))
        return (
            f"[Line {start + 1} is {size}, exceeds {_SIZE} limit. Use bash: sed -n '{start + 1}p'"
            f" {path} | head -c {_MAX_BYTES}]"
        )
    body = "\n".join(shown.lines)
    if shown.cut_by:
        limited = f" ({_SIZE} limit)" if shown.cut_by == "bytes" else ""
        return (
            f"{body}\n\n[Showing lines {start + 1}-{shown.end} of {shown.total}{limited}. Use"
            f" offset={shown.end + 1} to continue.]"
        )
    if limit is not None and start + limit < shown.total:
        left = shown.total - start - limit
        return f"{body}\n\n[{left} more lines in file. Use offset={start + limit + 1} to continue.]"
    return body


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    write(context, given["path"], given["content"])
    return f"Successfully wrote to {given['path']}"


def run_edit(context: Context, given: Arguments) -> ToolResult:
    """Replace text in a file."""
    path, edits = given["path"], given["edits"]
    if not edits:
        raise ToolError("Edit tool input is invalid. edits must contain at least one replacement.")
    try:
        done = edit(
            context,
            path,
            [{"old": each["oldText"], "new": each["newText"]} for each in edits],
            fuzz="unicode",
        )
    except NotFoundError:
        raise ToolError(f"Could not edit file: {path}. Error code: ENOENT.") from None
    except EditError as error:
        raise ToolError(edit_message(error, path, len(edits))) from None
    return ToolResult(
        f"Successfully replaced {len(edits)} block(s) in {path}.",
        structured={"patch": done.patch, "firstChangedLine": done.first_changed_line},
    )


def edit_message(error: EditError, path: str, total: int) -> str:
    """Return Pi's words for what is wrong with an edit."""
    index, alone = error.data.get("edit", 0), total == 1
    match error:
        case EmptyOldError():
            return (
                f"{'oldText' if alone else f'edits[{index}].oldText'} must not be empty in {path}."
            )
        case NoMatchError():
            which = "the exact text" if alone else f"edits[{index}]"
            what = "old text" if alone else "oldText"
            return (
                f"Could not find {which} in {path}. The {what} must match exactly including all"
                " whitespace and newlines."
            )
        case MultipleMatchesError():
            which = "the text" if alone else f"edits[{index}]"
            what = "The text" if alone else "Each oldText"
            return (
                f"Found {error.data['count']} occurrences of {which} in {path}. {what} must be"
                " unique. Please provide more context to make it unique."
            )
        case OverlappingEditsError():
            first, second = error.data["edits"]
            return (
                f"edits[{first}] and edits[{second}] overlap in {path}. Merge them into one edit"
                " or target disjoint regions."
            )
        case NoChangeError() if alone:
            return (
                f"No changes made to {path}. The replacement produced identical content. This might"
                " indicate an issue with special characters or the text not existing as expected."
            )
        case NoChangeError():
            return f"No changes made to {path}. The replacements produced identical content."
    return str(error)


def run_grep(context: Context, given: Arguments) -> str:
    """Search the text of files."""
    path, limit = given.get("path", "."), int(given.get("limit", MATCHES))
    where = context.resolve(path)
    if not context.files.exists(where):
        raise ToolError(f"Path not found: {where}")
    around = int(given.get("context", 0))
    found = grep(
        context,
        given["pattern"],
        path=where,
        include=given["glob"].removeprefix("./") if given.get("glob") else None,
        literal=given.get("literal", False),
        ignore_case=given.get("ignoreCase", False),
        before=around,
        after=around,
        max_matches=limit,
        ignore=True,
    )
    if not found.matches:
        return "No matches found"
    is_directory = context.files.stat(where).kind == "directory"
    base = context.files.realpath(where) if is_directory else ""
    lines = list(_match_lines(found, base))
    notices = []
    if found.truncated_by == "matches":
        notices.append(
            f"{limit} matches limit reached. Use limit={limit * 2} for more, or refine pattern"
        )
    elif found.truncated:
        notices.append(f"the search stopped early ({found.truncated_by}): refine pattern")
    if any(len(match.text) > _LINE_CHARACTERS for match in found.matches):
        notices.append(
            f"Some lines truncated to {_LINE_CHARACTERS} chars. Use read tool to see full lines"
        )
    return _limited(lines, notices)


def _match_lines(found: GrepResult, base: str) -> Iterator[str]:
    cut = len(base.rstrip("/")) + 1
    for line in shown_lines(found.matches):
        name = line.path[cut:] if base else split(line.path)[1]
        shown = shortened(line.text, _LINE_CHARACTERS, "... [truncated]")
        sign = ":" if line.is_match else "-"
        yield f"{name}{sign}{line.number}{sign} {shown}"


def _limited(lines: list[str], notices: list[str]) -> str:
    """Return lines until the limit on bytes, and notices below."""
    shown = window(lines, 0, None, max_lines=len(lines), max_bytes=_MAX_BYTES)
    if shown.cut_by:
        notices = [*notices, f"{_SIZE} limit reached"]
    body = "\n".join(shown.lines)
    return f"{body}\n\n[{'. '.join(notices)}]" if notices else body


def run_find(context: Context, given: Arguments) -> str:
    """Find files and directories by a glob."""
    where = context.resolve(given.get("path", "."))
    limit = int(given.get("limit", FOUND))
    if not context.files.exists(where):
        raise ToolError(f"Path not found: {where}")
    pattern = given["pattern"]
    # Without a slash, a pattern is about names at any depth.
    wanted = pattern if "/" in pattern else f"**/{pattern}"
    found = glob(context, wanted, path=where, limit=limit, ignore=True)
    if not found.paths:
        return "No files found matching pattern"
    base = len(where.rstrip("/")) + 1
    lines = [
        path[base:] + ("/" if context.files.stat(path, follow=False).kind == "directory" else "")
        for path in found.paths
    ]
    notices = []
    if found.truncated:
        notices.append(
            f"{limit} results limit reached. Use limit={limit * 2} for more, or refine pattern"
        )
    return _limited(lines, notices)


def run_ls(context: Context, given: Arguments) -> str:
    """List a directory."""
    path = context.resolve(given.get("path", "."))
    limit = int(given.get("limit", ENTRIES))
    try:
        found = ls(context, path, limit=1_000_000)
    except NotFoundError:
        raise ToolError(f"Path not found: {path}") from None
    except NotDirectoryError:
        raise ToolError(f"Not a directory: {path}") from None
    if not found.entries:
        return "(empty directory)"
    entries = sorted(found.entries, key=lambda entry: entry.name.lower())
    lines = [entry.name + ("/" if entry.kind == "directory" else "") for entry in entries[:limit]]
    notices = []
    if len(entries) > limit:
        notices.append(f"{limit} entries limit reached. Use limit={limit * 2} for more")
    return _limited(lines, notices)


def run_bash(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    seconds = given.get("timeout") or _TIMEOUT_S
    ran = runner.run(given["command"], timeout_s=min(seconds, _TIMEOUT_S))
    kept, left_out = keep_tail(ran.output, max_lines=MAX_LINES, max_bytes=_MAX_BYTES)
    body = kept
    if left_out:
        body = body.rstrip("\n")
        total = left_out + body.count("\n") + 1
        body += f"\n\n[Showing lines {left_out + 1}-{total} of {total}.]"
    if ran.timed_out:
        status = f"Command timed out after {seconds:g} seconds"
    else:
        body = body or "(no output)"
        status = f"Command exited with code {ran.exit_code}" if ran.exit_code else ""
    shown = "\n\n".join(part for part in (body, status) if part)
    structured = {"output": kept, "truncated": bool(left_out), "exit_code": ran.exit_code}
    return ToolResult(shown, is_error=bool(status), structured=structured)

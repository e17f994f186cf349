"""What calls of Gemini CLI's tools do; `gemini.py` declares them."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any, Final

from vshell.errors import (
    BinaryFileError,
    EditError,
    IsDirectoryError,
    MultipleMatchesError,
    NoMatchError,
    NotFoundError,
    VshellError,
)
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.glob import glob
from vshell.ops.grep import grep
from vshell.ops.ls import ls
from vshell.ops.write import write
from vshell.tools.commands import CommandRunner, keep_ends, shown
from vshell.tools.match_lines import shown_lines
from vshell.tools.media import DOCUMENTS, IMAGES, SOUNDS, attachment
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.window import lines_of, shortened, window

_MAX_LINES: Final = 2000
_LINE_CHARACTERS: Final = 2000
_MAX_BYTES: Final = 20 * 1024 * 1024
_MATCHES: Final = 100
_ENTRIES: Final = 10_000
_RECENT_NS: Final = 24 * 3600 * 10**9
_TIMEOUT_S: Final = 300.0
_MAX_OUTPUT_CHARACTERS: Final = 40_000


def render_error(error: VshellError) -> str:
    """Return an error of vshell in Gemini CLI's words, where it has some."""
    match error:
        case NotFoundError():
            return f"File not found: {error.filename}"
        case IsDirectoryError():
            return f"Path is a directory, not a file: {error.filename}"
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error}{hint}"


def run_list(context: Context, given: Arguments) -> str:
    """List a directory."""
    where = context.resolve(given["dir_path"])
    if not context.files.exists(where):
        raise ToolError(f"Error accessing directory: Directory not found or inaccessible: {where}")
    found = ls(context, where, limit=_ENTRIES)
    kept = [
        entry
        for entry in found.entries
        if not any(fnmatch.fnmatchcase(entry.name, each) for each in given.get("ignore", ()))
    ]
    if not kept:
        return f"Directory {where} is empty."
    kept.sort(key=lambda entry: (entry.kind != "directory", entry.name))
    lines = [("[DIR] " if entry.kind == "directory" else "") + entry.name for entry in kept]
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
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
        final = "\n"
    else:
        final = ""
    first = int(given.get("start_line", int(given.get("offset", 0)) + 1))
    last = int(given.get("end_line", first - 1 + int(given.get("limit", _MAX_LINES))))
    if last < first:
        raise ToolError(f"start_line ({first}) cannot be greater than end_line ({last})")
    if first > len(lines):
        raise ToolError(f"start_line {first} is beyond the end: the file has {len(lines)} lines")
    asked = min(last, len(lines)) - first + 1
    found = window(lines, first - 1, asked, max_lines=_MAX_LINES, max_bytes=1024 * 1024)
    body = "\n".join(shortened(line, _LINE_CHARACTERS, "... [truncated]") for line in found.lines)
    if first == 1 and found.end >= len(lines):
        return body + final
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


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    done = write(context, given["file_path"], given["content"])
    if done.created:
        return f"Successfully created and wrote to new file: {done.path}."
    return f"Successfully overwrote file: {done.path}."


def run_replace(context: Context, given: Arguments) -> ToolResult:
    """Replace text in a file."""
    path, old, new = given["file_path"], given["old_string"], given["new_string"]
    where = context.resolve(path)
    if not old:
        if context.files.exists(where):
            raise ToolError(
                f"Failed to edit. Attempted to create a file that already exists: {where}"
            )
        write(context, path, new)
        return ToolResult(f"Created new file: {where} with provided content.")
    if not context.files.exists(where):
        raise ToolError(
            "File not found. Cannot apply edit. Use an empty old_string to create a new file."
            f" ({where})"
        )
    if old == new:
        raise ToolError(
            f"No changes to apply. The old_string and new_string are identical in file: {where}"
        )
    expected = int(given.get("expected_replacements", 1))
    every = given.get("allow_multiple", False) or expected > 1
    try:
        done = edit(context, path, {"old": old, "new": new, "replace_all": every}, fuzz="strip")
    except MultipleMatchesError as error:
        raise ToolError(
            f"Failed to edit, Expected 1 occurrence but found {error.data['count']} for old_string"
            f" in file: {where}"
        ) from None
    except NoMatchError as error:
        near = error.data.get("near") or []
        told = f" The nearest text is at line {near[0]['line']}." if near else ""
        raise ToolError(
            "Failed to edit, 0 occurrences found for old_string in"
            f" {where}. Ensure you're not escaping content incorrectly and check whitespace,"
            f" indentation, and context.{told} Use read_file tool to verify."
        ) from None
    except EditError as error:
        raise ToolError(str(error)) from None
    if "expected_replacements" in given and done.replacements != expected:
        raise ToolError(
            f"Failed to edit, Expected {expected} occurrences but found {done.replacements} for"
            f" old_string in file: {where}"
        )
    told = f"Successfully modified file: {where} ({done.replacements} replacements)."
    if done.strategy != "exact":
        told += f" Applied fuzzy match at line {done.first_changed_line}."
    return ToolResult(told, structured={"diff": done.patch})


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


def run_grep(context: Context, given: Arguments) -> str:
    """Search the text of files."""
    start = context.resolve(given.get("dir_path", context.cwd))
    around = int(given.get("context", 0))
    limit = int(given.get("total_max_matches", _MATCHES))
    found = grep(
        context,
        given["pattern"],
        path=start,
        include=given.get("include_pattern"),
        literal=given.get("fixed_strings", False),
        ignore_case=not given.get("case_sensitive", False),
        before=int(given.get("before", around)),
        after=int(given.get("after", around)),
        max_matches=limit,
        max_per_file=given.get("max_matches_per_file"),
        mode="files" if given.get("names_only") else "lines",
        ignore=not given.get("no_ignore", False),
    )
    where = f'for pattern "{given["pattern"]}" in path "{start}"'
    if given.get("names_only"):
        if not found.files:
            return f"No matches found {where}."
        return "\n".join([f"Found {len(found.files)} files with matches {where}:", *found.files])
    matches = list(found.matches)
    if "exclude_pattern" in given:
        unwanted = _line_test(given["exclude_pattern"])
        matches = [match for match in matches if not unwanted(match.text)]
    if not matches:
        return f"No matches found {where}."
    more = f" (results limited to {limit} matches for performance)" if found.truncated else ""
    plural = "match" if len(matches) == 1 else "matches"
    lines = [f"Found {len(matches)} {plural} {where}{more}:"]
    last = ""
    for line in shown_lines(matches):
        if line.path != last:
            lines += ["---", f"File: {line.path}"]
            last = line.path
        lines.append(f"{'L' if line.is_match else ' '}{line.number}: {line.text}")
    return "\n".join([*lines, "---"])


def _line_test(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a line matches a regular expression."""
    import regex

    try:
        compiled = regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ToolError(f"Invalid regular expression in exclude_pattern: {error}") from None

    def matches(line: str) -> bool:
        try:
            return compiled.search(line, timeout=1.0) is not None
        except TimeoutError:
            raise ToolError("exclude_pattern takes too long on a line. Simplify it.") from None

    return matches


def run_command(runner: CommandRunner, given: Arguments) -> ToolResult:
    """Run a command."""
    seconds = min(given.get("timeout") or _TIMEOUT_S, _TIMEOUT_S)
    ran = runner.run(given["command"], timeout_s=seconds, cwd=given.get("dir_path"))
    parts = [f"Output: {keep_ends(shown(ran.stdout), _MAX_OUTPUT_CHARACTERS) or '(empty)'}"]
    if ran.stderr:
        parts.append(f"Error: {keep_ends(shown(ran.stderr), _MAX_OUTPUT_CHARACTERS)}")
    if ran.timed_out:
        parts.append(f"Error: the command was stopped after {seconds:g} seconds")
    elif ran.exit_code:
        parts.append(f"Exit Code: {ran.exit_code}")
    return ToolResult("\n".join(parts), is_error=ran.timed_out)

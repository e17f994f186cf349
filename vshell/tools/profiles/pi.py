"""The `pi` profile: read, write, edit, bash, grep, find and ls of the Pi coding agent (1.5).

Names, parameters, limits and texts are those of `@earendil-works/pi-coding-agent`.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.edit_arguments import gathered_edits
from vshell.tools.profile import Profile, Tool
from vshell.tools.profiles.pi_tools import (
    ENTRIES,
    FOUND,
    MATCHES,
    MAX_LINES,
    render_error,
    run_bash,
    run_edit,
    run_find,
    run_grep,
    run_ls,
    run_read,
    run_write,
)
from vshell.tools.schema_parts import array, flag, number, record, text, whole

_PATH: Final = text("Path to the file (relative or absolute)")


_REPLACEMENT: Final = record(
    ("oldText", "newText"),
    oldText=text("Exact text for one targeted replacement, unique in the original file"),
    newText=text("Replacement text"),
)
_WHERE: Final = text("Directory (default: current directory)")
_ALIASES: Final = {"file_path": "path", "file": "path"}

TOOLS: Final = (
    Tool(
        "read",
        "Read the contents of a file. Supports text files and images. For text files, output"
        f" is truncated to {MAX_LINES} lines or 50KB (whichever is hit first). Use"
        " offset/limit for large files.",
        record(
            ("path",),
            path=_PATH,
            offset=whole("Line number to start reading from (1-indexed)", minimum=0),
            limit=whole("Maximum number of lines to read", minimum=1),
        ),
        run_read,
        aliases=_ALIASES,
    ),
    Tool(
        "bash",
        "Execute a bash command in the current working directory. Returns stdout and stderr."
        f" Output is truncated to last {MAX_LINES} lines or 50KB.",
        record(
            ("command",),
            command=text("Shell command to execute"),
            timeout=number("Timeout in seconds (optional)", minimum=0),
        ),
        run_bash,
        aliases={"cmd": "command"},
        runs_commands=True,
    ),
    Tool(
        "edit",
        "Edit a single file using exact text replacement. Every edits[].oldText must match a"
        " unique, non-overlapping region of the original file.",
        record(
            ("path", "edits"),
            path=_PATH,
            edits=array(_REPLACEMENT, "The replacements, each matched against the original"),
        ),
        run_edit,
        prepare=gathered_edits,
        aliases=_ALIASES,
        changes=True,
    ),
    Tool(
        "write",
        "Write content to a file. Creates the file if it doesn't exist, overwrites if it does."
        " Automatically creates parent directories.",
        record(("path", "content"), path=_PATH, content=text("Content to write to the file")),
        run_write,
        aliases=_ALIASES,
        changes=True,
    ),
    Tool(
        "grep",
        "Search file contents for a pattern. Returns matching lines with file paths and line"
        f" numbers. Respects .gitignore. Output is truncated to {MATCHES} matches or 50KB.",
        record(
            ("pattern",),
            pattern=text("Search pattern (regex or literal string)"),
            path=text("Directory or file to search (default: current directory)"),
            glob=text("Filter files by glob pattern, e.g. '*.ts' or 'src/**/*.ts'"),
            ignoreCase=flag("Case-insensitive search (default: false)"),
            literal=flag("Treat pattern as literal string instead of regex"),
            context=whole("Lines to show before and after each match", minimum=0, maximum=1000),
            limit=whole("Maximum number of matches (default: 100)", minimum=1),
        ),
        run_grep,
    ),
    Tool(
        "find",
        "Search for files by glob pattern. Returns matching file paths relative to the search"
        f" directory. Respects .gitignore. Output is truncated to {FOUND} results or 50KB.",
        record(
            ("pattern",),
            pattern=text("Glob pattern to match files, e.g. '*.ts' or 'src/**/*.ts'"),
            path=_WHERE,
            limit=whole("Maximum number of results (default: 1000)", minimum=1),
        ),
        run_find,
    ),
    Tool(
        "ls",
        "List directory contents, sorted alphabetically, with '/' suffix for directories."
        f" Includes dotfiles. Output is truncated to {ENTRIES} entries or 50KB.",
        record(
            (),
            path=_WHERE,
            limit=whole("Maximum number of entries (default: 500)", minimum=1),
        ),
        run_ls,
    ),
)


def pi_profile(context: Context, *, rules: Any = None) -> Profile:
    """Return the tools read, bash, edit, write, grep, find and ls.

    Args:
        context: What they work in.
        rules: What bash may run, as `Session.shell` takes it.
    """
    return Profile("pi", TOOLS, context=context, rules=rules, render_error=render_error)

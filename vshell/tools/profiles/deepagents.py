"""The `deepagents` profile: ls, read_file, write_file, edit_file, glob, grep and execute.

Names, parameters and texts are those of the middleware in LangChain's `deepagents` (0.7).
"""

from __future__ import annotations

from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.profile import Profile, Tool
from vshell.tools.profiles.deepagents_tools import (
    LINES,
    render_error,
    run_edit,
    run_execute,
    run_glob,
    run_grep,
    run_ls,
    run_read,
    run_write,
)
from vshell.tools.schema_parts import flag, record, text, whole

_PATH: Final = text("Absolute path to the file. Must be absolute, not relative.")
_ALIASES: Final = {"path": "file_path", "file": "file_path"}

TOOLS: Final = (
    Tool(
        "ls",
        "Lists all files in a directory, as absolute paths.",
        record(("path",), path=text("Absolute path to the directory to list")),
        run_ls,
        aliases={"dir": "path"},
    ),
    Tool(
        "read_file",
        f"Reads a file. By default up to {LINES} lines are read from the beginning; use offset"
        " (a number of lines, from 0) and limit for more.",
        record(
            ("file_path",),
            file_path=_PATH,
            offset=whole("Line number to start reading from (0-indexed)", minimum=0),
            limit=whole(f"Maximum number of lines to read (default {LINES})", minimum=1),
        ),
        run_read,
        aliases=_ALIASES,
    ),
    Tool(
        "write_file",
        "Writes a file, replacing one that is there. Prefer edit_file for existing files.",
        record(("file_path", "content"), file_path=_PATH, content=text("The whole content")),
        run_write,
        aliases=_ALIASES,
        changes=True,
    ),
    Tool(
        "edit_file",
        "Performs exact string replacements in a file. old_string must be unique, unless"
        " replace_all is true.",
        record(
            ("file_path", "old_string", "new_string"),
            file_path=_PATH,
            old_string=text("The exact text to find and replace"),
            new_string=text("The text to replace old_string with; must be different"),
            replace_all=flag("Replace all occurrences (default false)"),
        ),
        run_edit,
        aliases=_ALIASES,
        changes=True,
    ),
    Tool(
        "glob",
        "Finds files by a glob pattern; without a slash it matches names at any depth.",
        record(
            ("pattern",),
            pattern=text("Glob pattern, such as '*.py' or '/src/**/*.md'"),
            path=text("Base directory to search from (default: /)"),
        ),
        run_glob,
    ),
    Tool(
        "grep",
        "Searches for literal text (not a regular expression) in files.",
        record(
            ("pattern",),
            pattern=text("Text to search for, literally"),
            path=text("Directory to search in"),
            glob=text("Glob pattern of the files to search, such as '*.py'"),
            output_mode=text("", "files_with_matches", "content", "count"),
            max_count=whole("Maximum number of matches", minimum=1),
        ),
        run_grep,
    ),
    Tool(
        "execute",
        "Executes a shell command in the workspace and returns its output and exit code.",
        record(
            ("command",),
            command=text("Shell command to execute"),
            timeout=whole("Timeout in seconds", minimum=1, maximum=600),
        ),
        run_execute,
        aliases={"cmd": "command"},
        runs_commands=True,
    ),
)


def deepagents_profile(context: Context, *, rules: Any = None) -> Profile:
    """Return the tools ls, read_file, write_file, edit_file, glob, grep and execute.

    Args:
        context: What they work in.
        rules: What execute may run, as `Session.shell` takes it.
    """
    return Profile("deepagents", TOOLS, context=context, rules=rules, render_error=render_error)

"""The `opencode` profile: read, write, edit, bash, grep and glob of OpenCode.

Names, parameters, limits and texts are OpenCode's. Its edit tries nine ways to find a text
that is not there as given, some of which replace what was not meant; this one ignores
white space at the ends and beginnings of lines, and kinds of quotes and dashes, and
refuses when that fits more than once.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.profile import Profile, Tool
from vshell.tools.profiles.opencode_tools import (
    MAX_LINES,
    render_error,
    run_bash,
    run_edit,
    run_glob,
    run_grep,
    run_read,
    run_write,
)
from vshell.tools.schema_parts import flag, record, text, whole

_PATH: Final = text("The absolute path to the file")
_ALIASES: Final = {"path": "filePath", "file": "filePath"}

TOOLS: Final = (
    Tool(
        "bash",
        "Executes a bash command in the workspace's shell. Use workdir to run it elsewhere,"
        " instead of cd.",
        record(
            ("command",),
            command=text("The command to execute"),
            timeout=whole("Optional timeout in milliseconds", minimum=1),
            workdir=text("The working directory to run the command in"),
            description=text("What this command does, in 5-10 words"),
        ),
        run_bash,
        aliases={"cmd": "command", "cwd": "workdir"},
        runs_commands=True,
    ),
    Tool(
        "read",
        f"Read a file or directory. Up to {MAX_LINES} lines are returned from the beginning;"
        " use offset and limit for more. Each line has its number before it.",
        record(
            ("filePath",),
            filePath=text("The absolute path to the file or directory to read"),
            offset=whole("The line number to start reading from (1-indexed)", minimum=0),
            limit=whole(f"How many lines to read (default {MAX_LINES})", minimum=1),
        ),
        run_read,
        aliases=_ALIASES,
    ),
    Tool(
        "glob",
        "Find files by a glob pattern such as '**/*.js'; the newest come first.",
        record(
            ("pattern",),
            pattern=text("The glob pattern to match files against"),
            path=text("The directory to search in (default: the current directory)"),
        ),
        run_glob,
    ),
    Tool(
        "grep",
        "Search the contents of files for a regular expression.",
        record(
            ("pattern",),
            pattern=text("The regex pattern to search for in file contents"),
            path=text("The directory to search in (default: the current directory)"),
            include=text('Files to include, such as "*.js" or "*.{ts,tsx}"'),
        ),
        run_grep,
        aliases={"glob": "include"},
    ),
    Tool(
        "edit",
        "Replace text in a file. oldString must be there exactly once, unless replaceAll is"
        " true. The file must have been read first. An empty oldString writes the whole file.",
        record(
            ("filePath", "oldString", "newString"),
            filePath=_PATH,
            oldString=text("The text to replace"),
            newString=text("The text to replace it with (must be different)"),
            replaceAll=flag("Replace all occurrences of oldString (default false)"),
        ),
        run_edit,
        aliases=_ALIASES | {"oldText": "oldString", "newText": "newString"},
        changes=True,
    ),
    Tool(
        "write",
        "Write a file, overwriting one that is there, which must have been read first.",
        record(
            ("content", "filePath"),
            content=text("The content to write to the file"),
            filePath=_PATH,
        ),
        run_write,
        aliases=_ALIASES,
        changes=True,
    ),
)


def opencode_profile(context: Context, *, rules: Any = None) -> Profile:
    """Return the tools bash, read, glob, grep, edit and write.

    Args:
        context: What they work in; it must require that files are read before changes.
        rules: What bash may run, as `Session.shell` takes it.
    """
    return Profile("opencode", TOOLS, context=context, rules=rules, render_error=render_error)

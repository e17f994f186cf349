"""The `gemini` profile: the file and shell tools of Gemini CLI.

Names, parameters and limits are Gemini CLI's. Its `replace` asks another model when a text
is not there; this one ignores white space at the ends and beginnings of lines.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.profile import Profile, Tool
from vshell.tools.profiles.gemini_edit import run_replace, run_write
from vshell.tools.profiles.gemini_grep import run_grep
from vshell.tools.profiles.gemini_tools import (
    render_error,
    run_command,
    run_glob,
    run_list,
    run_read,
    run_read_many,
)
from vshell.tools.schema_parts import array, flag, number, record, text, whole

_PATH: Final = text("The path to the file")
_ALIASES: Final = {"path": "file_path", "absolute_path": "file_path"}
_DIRECTORY: Final = {"path": "dir_path", "directory": "dir_path"}
_GLOBS: Final = array(text(), "Glob patterns")
_IGNORED: Final = {
    "type": "object",
    "description": "Without effect: all entries are listed",
}

TOOLS: Final = (
    Tool(
        "list_directory",
        "Lists the names of files and subdirectories directly within a directory.",
        record(
            ("dir_path",),
            dir_path=text("The path to the directory to list"),
            ignore=_GLOBS,
            file_filtering_options=_IGNORED,
        ),
        run_list,
        aliases=_DIRECTORY,
    ),
    Tool(
        "read_file",
        "Reads and returns the content of a file. Long files are truncated; use start_line and"
        " end_line to read more. Images, audio and PDF files are returned as they are.",
        record(
            ("file_path",),
            file_path=_PATH,
            start_line=whole("The 1-based line number to start reading from", minimum=1),
            end_line=whole("The 1-based line number to end reading at", minimum=1),
            offset=whole("As start_line, from 0", minimum=0),
            limit=whole("How many lines to read", minimum=1),
        ),
        run_read,
        aliases=_ALIASES,
    ),
    Tool(
        "read_many_files",
        "Reads the content of several files, chosen by paths or glob patterns.",
        record(("include",), include=_GLOBS, exclude=_GLOBS),
        run_read_many,
        aliases={"paths": "include"},
    ),
    Tool(
        "write_file",
        "Writes content to a file, making it and its directories when they are missing.",
        record(("file_path", "content"), file_path=_PATH, content=text("The whole content")),
        run_write,
        aliases=_ALIASES,
        changes=True,
    ),
    Tool(
        "replace",
        "Replaces text within a file: one occurrence, unless allow_multiple is true. old_string"
        " must have enough context to be unique. An empty old_string makes a new file.",
        record(
            ("file_path", "old_string", "new_string"),
            file_path=_PATH,
            instruction=text("What should be changed, and why"),
            old_string=text("The exact literal text to replace"),
            new_string=text("The exact literal text to replace it with"),
            allow_multiple=flag("Replace all occurrences"),
            expected_replacements=whole("How many occurrences are replaced", minimum=1),
        ),
        run_replace,
        aliases=_ALIASES | {"replace_all": "allow_multiple"},
        changes=True,
    ),
    Tool(
        "glob",
        "Finds files by a glob pattern; those of the last day come first, newest first.",
        record(
            ("pattern",),
            pattern=text("The glob pattern, such as '**/*.py'"),
            dir_path=text("The directory to search in"),
            case_sensitive=flag("Always true here"),
            respect_git_ignore=flag("Leave out what .gitignore files say (default true)"),
            respect_gemini_ignore=flag("Without effect: there are no .geminiignore files"),
        ),
        run_glob,
        aliases=_DIRECTORY,
    ),
    Tool(
        "grep_search",
        "Searches for a regular expression within files.",
        record(
            ("pattern",),
            pattern=text("The regular expression"),
            dir_path=text("The directory or file to search"),
            include_pattern=text("A glob for the files to search"),
            exclude_pattern=text("A regular expression for lines to leave out"),
            names_only=flag("Only the paths of files that match"),
            case_sensitive=flag("Match case (default false)"),
            fixed_strings=flag("The pattern is text"),
            context=whole("Lines around each match", minimum=0, maximum=1000),
            after=whole("Lines after each match", minimum=0, maximum=1000),
            before=whole("Lines before each match", minimum=0, maximum=1000),
            no_ignore=flag("Search what .gitignore files exclude, too"),
            max_matches_per_file=whole("At most so many of each file", minimum=1),
            total_max_matches=whole("At most so many (default 100)", minimum=1),
        ),
        run_grep,
        aliases=_DIRECTORY | {"include": "include_pattern"},
    ),
    Tool(
        "run_shell_command",
        "Runs a command in the workspace's shell and returns its output and exit code.",
        record(
            ("command",),
            command=text("The command, as for bash -c"),
            description=text("What it does"),
            dir_path=text("The directory to run it in"),
            timeout=number("How many seconds it may take", minimum=0),
            is_background=flag("Not available here: it must be false"),
            delay_ms=number("Without effect: commands do not run in the background", minimum=0),
        ),
        run_command,
        aliases=_DIRECTORY | {"cmd": "command"},
        runs_commands=True,
    ),
)


def gemini_profile(context: Context, *, rules: Any = None) -> Profile:
    """Return the tools list_directory, read_file, write_file, replace, glob, grep_search,
    read_many_files and run_shell_command.

    Args:
        context: What they work in.
        rules: What run_shell_command may run, as `Session.shell` takes it.
    """
    return Profile("gemini", TOOLS, context=context, rules=rules, render_error=render_error)

"""The `claude` profile: Read, Write, Edit, Glob, Grep and Bash, as Claude Code has them.

Names, parameters and texts are those of `sdk-tools.d.ts` in
`@anthropic-ai/claude-agent-sdk` and of what Claude Code prints. A file must have been
read before it is changed, and be as it was then: its content is compared, not its time.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.profile import Profile, Tool
from vshell.tools.profiles.claude_grep import run_grep
from vshell.tools.profiles.claude_tools import (
    explain_mistake,
    render_error,
    run_bash,
    run_edit,
    run_glob,
    run_read,
    run_write,
)
from vshell.tools.schema_parts import flag, record, text, whole

_ALIASES: Final = {"path": "file_path", "filename": "file_path", "file": "file_path"}
_EDIT_ALIASES: Final = {
    "old_str": "old_string",
    "new_str": "new_string",
    "old_text": "old_string",
    "new_text": "new_string",
    "old": "old_string",
    "new": "new_string",
}


TOOLS: Final = (
    Tool(
        "Read",
        "Reads a file from the workspace. By default it reads up to 2000 lines from the beginning;"
        " use offset and limit for long files. Lines are returned with their numbers, from 1."
        " Images and PDF files are shown as they are.",
        record(
            ("file_path",),
            file_path=text("The absolute path to the file to read"),
            offset=whole("The line number to start reading from", minimum=0),
            limit=whole("The number of lines to read", minimum=1),
            pages=text("Page range for PDF files; the whole file is shown whatever it says"),
            allow_large=flag("Without effect: limit says how much is read"),
        ),
        run_read,
        aliases=_ALIASES,
    ),
    Tool(
        "Write",
        "Writes a file to the workspace, overwriting one that is there. An existing file must"
        " be read with Read first. Prefer Edit for changes to existing files.",
        record(
            ("file_path", "content"),
            file_path=text("The absolute path to the file to write"),
            content=text("The content to write to the file"),
        ),
        run_write,
        aliases=_ALIASES | {"contents": "content", "text": "content"},
        changes=True,
    ),
    Tool(
        "Edit",
        "Performs exact string replacements in a file. The file must have been read with Read"
        " first. old_string must be unique in the file, unless replace_all is true.",
        record(
            ("file_path", "old_string", "new_string"),
            file_path=text("The absolute path to the file to modify"),
            old_string=text("The text to replace"),
            new_string=text("The text to replace it with (must be different from old_string)"),
            replace_all=flag("Replace all occurrences of old_string (default false)"),
        ),
        run_edit,
        aliases=_ALIASES | _EDIT_ALIASES,
        changes=True,
    ),
    Tool(
        "Glob",
        'Fast file pattern matching, such as "**/*.js" or "src/**/*.ts". Returns paths, the'
        " most recently modified first.",
        record(
            ("pattern",),
            pattern=text("The glob pattern to match files against"),
            path=text("The directory to search in. Leave it out for the current directory."),
        ),
        run_glob,
    ),
    Tool(
        "Grep",
        'Searches the text of files for a regular expression, such as "log.*Error". Filter files'
        ' with glob or type. output_mode: "files_with_matches" (default) shows paths, "content"'
        ' shows lines, "count" shows numbers of matches. Lines are matched one by one, unless'
        " multiline is true.",
        record(
            ("pattern",),
            pattern=text("The regular expression pattern to search for in file contents"),
            path=text("File or directory to search in. Defaults to the current directory."),
            glob=text('Glob pattern to filter files, such as "*.js" or "*.{ts,tsx}"'),
            type=text("File type to search, such as js, py, rust, go, java"),
            output_mode=text("", "content", "files_with_matches", "count"),
            **{
                "-A": whole("Number of lines to show after each match", minimum=0, maximum=1000),
                "-B": whole("Number of lines to show before each match", minimum=0, maximum=1000),
                "-C": whole("Alias for context", minimum=0, maximum=1000),
                "-n": flag("Show line numbers in output (default true)"),
                "-i": flag("Case insensitive search"),
                "-o": flag("Print only the matching lines' text that matched"),
            },
            context=whole("Lines to show before and after each match", minimum=0, maximum=1000),
            head_limit=whole("At most so many lines or entries (default 250; 0: all)", minimum=0),
            offset=whole("Skip so many lines or entries first", minimum=0),
            multiline=flag("Let patterns match across lines"),
        ),
        run_grep,
        aliases={
            "query": "pattern",
            "regex": "pattern",
            "include": "glob",
            "after": "-A",
            "before": "-B",
            "ignore_case": "-i",
            "mode": "output_mode",
        },
    ),
    Tool(
        "Bash",
        "Executes a bash command in the workspace's shell, whose working directory persists"
        " between commands. There is no network. Output over 30000 characters is cut.",
        record(
            ("command",),
            command=text("The command to execute"),
            timeout=whole("Timeout in milliseconds (max 600000)", minimum=1),
            description=text("What the command does, in 5 to 10 words"),
            run_in_background=flag("Not available here: it must be false"),
            dangerouslyDisableSandbox=flag("Without effect: there is nothing but the workspace"),
        ),
        run_bash,
        aliases={"cmd": "command", "script": "command", "timeout_ms": "timeout"},
        runs_commands=True,
    ),
)


def claude_profile(context: Context, *, rules: Any = None) -> Profile:
    """Return the tools Read, Write, Edit, Glob, Grep and Bash.

    Args:
        context: What they work in; it must require that files are read before changes.
        rules: What Bash may run, as `Session.shell` takes it.
    """
    return Profile(
        "claude",
        TOOLS,
        context=context,
        rules=rules,
        render_error=render_error,
        render_mistake=explain_mistake,
    )

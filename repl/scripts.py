"""Shell scripts on the command line: `-c`, a script's file, or standard input.

    vshell -c 'SCRIPT' [NAME [ARGUMENT ...]]
    vshell FILE [ARGUMENT ...]
    vshell < FILE

The exit code is the script's own. Nothing of the host is passed on but what is named in
`VSHELL_ENV`; `VSHELL_SESSION` names a session whose directory and variables last.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from vshell.errors import VshellError
from vshell.ops.context import Context

from .grammar import UsageError
from .output import Output

_FOREVER_S: Final = 1e7
"""Who has a terminal ends a script when it takes too long; other tools have limits of their own."""

_NO_INPUT: Final = frozenset(
    {
        *("[", ":", "basename", "cd", "chmod", "cp", "date", "dirname", "du", "echo", "exit"),
        *("export", "false", "find", "fd", "id", "ln", "ls", "mkdir", "mktemp", "mv", "printf"),
        *("pwd", "readlink", "realpath", "rm", "rmdir", "set", "sleep", "stat", "test", "touch"),
        *("tree", "true", "type", "uname", "unset", "which"),
    }
)
"""Commands that never read their input: with only these, a pipe that nobody closes is no matter."""


class Script(NamedTuple):
    """A script to run.

    Attributes:
        text: The script.
        arguments: `$0`, `$1`, ...
        from_input: Whether it came from standard input, which then is no input of its own.
    """

    text: str
    arguments: tuple[str, ...]
    from_input: bool = False


_FLAGS: Final = re.compile(r"-[lies]*c?[lies]*")


def is_flags(word: str) -> bool:
    """Tell whether a word is options as shells have them, such as `-c` or `-lc`."""
    return len(word) > 1 and _FLAGS.fullmatch(word) is not None


def leading(given: Sequence[str], valued: Collection[str]) -> int:
    """Return how many words stand before a shell's options; all, when there are none.

    Args:
        given: The command line.
        valued: The global options that take a value.
    """
    position = 0
    while position < len(given) and given[position].startswith("-"):
        if is_flags(given[position]):
            return position
        position += 2 if given[position] in valued else 1
    return len(given)


def find_script(rest: Sequence[str], known: Collection[str]) -> Script | None:
    """Return the script that a command line asks for, or None when it is a subcommand.

    Args:
        rest: What follows the global options.
        known: The names of the subcommands.

    Raises:
        UsageError: `-c` without a script.
        NotFoundError: The file cannot be read.
    """
    words = list(rest)
    # Tools spawn `$SHELL -lc SCRIPT` and the like; `-l`, `-i` and `-e` are theirs.
    flags = ""
    while words and "c" not in flags and is_flags(words[0]):
        flags += words.pop(0)[1:]
    if "c" in flags:
        if not words:
            raise UsageError("-c: a script must follow", "vshell -c 'echo hello'")
        text = words.pop(0)
        return Script(f"set -e; {text}" if "e" in flags else text, tuple(words))
    if flags and not words:
        return _from_input(())
    if words and words[0] not in known and not words[0].startswith("-") and _is_file(words[0]):
        with open(words[0], encoding="utf-8", errors="surrogateescape") as file:
            return Script(file.read(), tuple(words))
    if not words and not sys.stdin.isatty():
        return _from_input(())
    return None


def _is_file(path: str) -> bool:
    # A plain word is a subcommand that was misspelt, unless it looks like a file's name.
    return os.path.isfile(path) and ("/" in path or "." in path)


def _from_input(arguments: tuple[str, ...]) -> Script | None:
    try:
        data = sys.stdin.buffer.read()
    except (OSError, AttributeError):
        return None
    text = data.decode("utf-8", "surrogateescape")
    return Script(text, arguments, from_input=True) if text.strip() else None


def run_script(
    context: Context, script: Script, output: Output, *, session: str | None, as_json: bool
) -> int:
    """Run a script; return its exit code."""
    from vshell.programs.starting import programs_of
    from vshell.shell.limits import ShellLimits
    from vshell.shell.opening import open_shell

    endless = ShellLimits(
        timeout_s=_FOREVER_S,
        max_output_bytes=10 * 1024**2 if as_json else 1,
        max_total_output_bytes=1 << 40,
    )
    name = session or os.environ.get("VSHELL_SESSION")
    shell = open_shell(
        context, name, limits=endless, spool=None, programs=programs_of(context.files)
    )
    result = shell.run(
        script.text,
        stdin=b"" if script.from_input or not _reads(shell, script) else _input(),
        env=_passed_on(),
        arguments=script.arguments,
        on_output=None if as_json else _print,
    )
    shell.close()
    if as_json:
        output.json(result.as_dict())
    return result.exit_code


def _print(stream: str, data: bytes) -> None:
    target = sys.stdout if stream == "stdout" else sys.stderr
    target.buffer.write(data)
    target.buffer.flush()


def _passed_on() -> dict[str, str]:
    names = os.environ.get("VSHELL_ENV", "").replace(",", " ").split()
    return {name: os.environ[name] for name in names if name in os.environ}


def _reads(shell: Any, script: Script) -> bool:
    """Tell whether a script may read its input."""
    if sys.stdin is None or sys.stdin.isatty():
        return False
    try:
        if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
            return True
        plan = shell.plan(script.text)
    except (OSError, ValueError, VshellError):
        return False  # of a text that is no script, the shell says so itself
    return plan.opaque or any(each.name not in _NO_INPUT for each in plan.commands)


def _input() -> bytes:
    try:
        return sys.stdin.buffer.read()
    except OSError:
        return b""

"""The prompt's own commands: they begin with a colon, which no shell line does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from vshell.errors import VshellError
from vshell.fs.watch import Cursor
from vshell.script.result import ScriptResult
from vshell.session import Session

__all__ = ["DIRECTIVES", "Leave", "run_script_text", "watch"]

_POLL_S: Final = 0.02

DIRECTIVES: Final = {
    ":py": "Python against `state`; alone, a prompt for it",
    ":js": "JavaScript against `state`; alone, a prompt for it",
    ":watch": "show changes as they are committed, until Ctrl-C",
    ":vi": "vi keys",
    ":emacs": "emacs keys",
    ":help": "what there is",
    ":quit": "leave",
}

HELP: Final = """\
A line is bash, on the workspace's files. Enter runs it once it is complete.
  Tab          complete            Ctrl-R   search what was run
  Ctrl-C       interrupt the line  Ctrl-D   leave
  Ctrl-X Ctrl-E  edit the line in $EDITOR
  man COMMAND  what a command takes; help lists them
"""


class Leave(Exception):  # noqa: N818 - it ends the loop and is no error
    """The person is done."""


def help_text() -> str:
    """Return what `:help` prints."""
    width = max(map(len, DIRECTIVES))
    listed = "".join(f"  {name:<{width}}  {text}\n" for name, text in DIRECTIVES.items())
    return HELP + listed


def run_script_text(session: Session, source: str, language: str) -> int:
    """Run a script and print what it comes to; return an exit code."""
    try:
        result = session.run(source, language=language)
    except VshellError as error:
        _say(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return 1
    _show(result)
    return 0 if result.status == "ok" else 1


def _show(result: ScriptResult) -> None:
    if result.logs:
        sys.stdout.write(result.logs if result.logs.endswith("\n") else f"{result.logs}\n")
    if result.value_path is not None:
        _say(f"the result is in {result.value_path}")
    elif result.value is not None:
        sys.stdout.write(f"{_readable(result.value)}\n")
    sys.stdout.flush()
    if result.error is not None:
        where = f" (line {result.error.line})" if result.error.line else ""
        _say(f"{result.error.type}: {result.error.message}{where}")
        if result.error.hint:
            _say(f"hint: {result.error.hint}")
    elif result.status != "ok":
        _say(result.status)


def _readable(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=repr)


def watch(session: Session, path: str, *, ended: Callable[[], bool]) -> None:
    """Print changes at a path and below it as they are committed.

    Args:
        session: Whose workspace.
        path: Where.
        ended: Is asked between changes whether to stop.
    """
    cursor = Cursor(session.files, session.resolve(path), since=None)
    while not ended():
        for change in cursor.next():
            old = f"  (was {change.old_path})" if change.old_path else ""
            sys.stdout.write(
                f"r{change.revision}  {change.session or '-'}  {change.operation or '-'}"
                f"  {change.action}  {change.path}{old}\n"
            )
            sys.stdout.flush()
        time.sleep(_POLL_S)


def _say(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()

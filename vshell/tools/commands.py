"""Running shell commands for tools: one shell for each profile, whose directory stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import UnavailableError
from vshell.ops.context import Context

KILLED_BY_TIMEOUT: Final = 124


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did.

    Attributes:
        stdout: What it printed.
        stderr: What it complained.
        exit_code: Its exit code.
        timed_out: Whether it was stopped.
        truncated: Whether it printed more than is here.
    """

    stdout: bytes
    stderr: bytes
    exit_code: int
    timed_out: bool
    truncated: bool = False

    @property
    def output(self) -> str:
        """Both streams as text, the complaints last."""
        first = shown(self.stdout)
        separator = "\n" if first and not first.endswith("\n") and self.stderr else ""
        return first + separator + shown(self.stderr)


class CommandRunner:
    """Runs commands in one shell after the other.

    Args:
        context: What the shell works in.
        rules: Which commands the shell may run, as `Session.shell` takes it.
    """

    def __init__(self, context: Context, *, rules: Any = None) -> None:
        self._context = context
        self._rules = rules
        self._shell: Any = None

    def run(
        self,
        command: str,
        *,
        timeout_s: float = 120.0,
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Ran:
        """Run a command line.

        Raises:
            UnavailableError: There is no shell here.
            InvalidPathError, NotFoundError, NotDirectoryError: `cwd` is no directory.
        """
        result = self._opened().run(
            command, stdin=stdin, env=environment, cwd=cwd, timeout_s=timeout_s
        )
        return Ran(result.stdout, result.stderr, result.exit_code, result.timed_out)

    def interrupt(self) -> None:
        """Stop the command that runs now, if one does; any thread may."""
        if hasattr(self._shell, "interrupt"):
            self._shell.interrupt()

    def restart(self) -> None:
        """Begin anew: the next command finds a fresh shell."""
        shell, self._shell = self._shell, None
        if hasattr(shell, "close"):
            shell.close()

    def _opened(self) -> Any:
        if self._shell is None:
            make = getattr(self._context, "shell", None)
            if make is None:
                raise UnavailableError(
                    "there is no shell in this installation",
                    hint="use the file tools: read, edit, search",
                )
            self._shell = make() if self._rules is None else make(rules=self._rules)
        return self._shell


def shown(data: bytes) -> str:
    """Return the output of a command as text; what is no UTF-8 becomes U+FFFD."""
    return data.decode("utf-8", "replace")


def keep_tail(text: str, *, max_lines: int, max_bytes: int) -> tuple[str, int]:
    """Return the end of a text, and how many of its lines are left out before it."""
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    size = 0
    for line in reversed(lines[-max_lines:]):
        size += len(line.encode("utf-8", "replace"))
        if size > max_bytes and kept:
            break
        kept.append(line if size <= max_bytes else line[-max_bytes:])
    return "".join(reversed(kept)), len(lines) - len(kept)


def keep_ends(text: str, max_characters: int) -> str:
    """Return a text whose middle is left out when it is too long, saying how much is."""
    if len(text) <= max_characters:
        return text
    half = max_characters // 2
    left_out = text[half:-half].count("\n")
    return f"{text[:half]}\n\n... [{left_out} lines truncated] ...\n\n{text[-half:]}"

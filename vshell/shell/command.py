"""What a shell command is: a name, its options, and a function that runs it.

A command is declared once. Its parser, `--help`, `man`, the completion of the
interactive shell and the reference come from the declaration. The function gets an
`Invocation`: files through the operations of `vshell.ops`, three byte streams, and what
was typed, parsed as GNU's `getopt_long` parses it.

    WC = Command(
        "wc",
        "[OPTION]... [FILE]...",
        "Print newline, word, and byte counts for each file.",
        run_wc,
        options=(
            Option(("-l", "--lines"), "Print the newline counts."),
            ...
        ),
    )
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from vshell.ops.context import Context

__all__ = ["Command", "Executed", "Input", "Invocation", "Option", "Output", "Parsed", "UsageError"]

BROKEN_PIPE: Final = 141
"""The exit code of a command whose reader has gone: 128 + SIGPIPE."""


class Input(Protocol):
    """What a command reads: a stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or all that is left; empty at the end."""

    def readline(self) -> bytes:
        """Return the next line with its newline; empty at the end."""

    def __iter__(self) -> Iterator[bytes]: ...


class Output(Protocol):
    """What a command writes to: a stream of bytes."""

    def write(self, data: bytes, /) -> object:
        """Write bytes.

        Raises:
            BrokenPipeError: Nobody reads any more. Commands let it pass: the exit code
                is `BROKEN_PIPE`.
        """


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command.

    Attributes:
        flags: All its spellings, such as `("-n", "--lines")`.
        help: What it means, one sentence.
        value: What its value is called in help; None when it takes none.
        optional: Whether the value may be left out, as in `--color[=WHEN]`.
    """

    flags: tuple[str, ...]
    help: str
    value: str | None = None
    optional: bool = False

    @property
    def name(self) -> str:
        """Its longest spelling without dashes: what `Parsed` knows it by."""
        return max(self.flags, key=len).lstrip("-")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed.

    Attributes:
        given: The options by name, in order, each with its value (None for a flag).
        operands: What is no option.
    """

    given: tuple[tuple[str, str | None], ...]
    operands: tuple[str, ...]

    def flag(self, name: str) -> bool:
        """Whether an option was given."""
        return any(found == name for found, _ in self.given)

    def last(self, *names: str) -> str | None:
        """Which of several options that override each other was given last."""
        return next((found for found, _ in reversed(self.given) if found in names), None)

    def value(self, name: str, default: str | None = None) -> str | None:
        """The value of an option: that of the last one, when it was given again."""
        for found, value in reversed(self.given):
            if found == name:
                return value
        return default

    def values(self, name: str) -> list[str]:
        """Every value that an option was given."""
        return [value for found, value in self.given if found == name and value is not None]


class UsageError(Exception):
    """What was typed is not how the command is used; the text is GNU's, without the name.

    Args:
        message: Such as `invalid option -- 'q'`.
        status: The exit code; None is the command's own for wrong usage.
        hint: Whether `Try 'NAME --help' for more information.` follows.
    """

    def __init__(self, message: str, *, status: int | None = None, hint: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Executed:
    """What another command did that a command ran (`xargs`, `find -exec`, `env`, ...)."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass
class Invocation:
    """One run of a command.

    Attributes:
        name: What it was called by.
        context: The files, with the shell's working directory and session name. Paths go
            through it: `call.context.resolve(path)`.
        parsed: Options and operands; for a raw command every word is an operand.
        environment: The exported variables.
        stdin: What it reads.
        stdout: What it prints.
        stderr: Where complaints go.
        execute: Runs another command, given as words, under the shell's rules: with
            those bytes as its input, its output captured.
        services: What only some commands need of the shell that runs them, by name
            (`scripts`, `history`, `commands`, ...).
    """

    name: str
    context: Context
    parsed: Parsed
    environment: Mapping[str, str]
    stdin: Input
    stdout: Output
    stderr: Output
    execute: Callable[[Sequence[str], bytes], Executed]
    services: Mapping[str, Any] = field(default_factory=dict)

    @property
    def operands(self) -> tuple[str, ...]:
        return self.parsed.operands

    def write(self, text: str) -> None:
        """Print text, UTF-8; bytes that came as surrogates go out as they came in."""
        self.stdout.write(text.encode("utf-8", "surrogateescape"))

    def complain(self, message: str) -> None:
        """Write `NAME: MESSAGE` to stderr."""
        self.stderr.write(f"{self.name}: {message}\n".encode("utf-8", "surrogateescape"))


Run = Callable[[Invocation], int]


@dataclass(frozen=True)
class Command:
    """A command of the shell.

    Attributes:
        name: What it is called by.
        synopsis: What follows the name in `Usage:`.
        summary: What it does, one sentence.
        run: Does it; returns the exit code.
        options: Its options. `--help` is added, and `--version`.
        aliases: Other names for it.
        raw: Whether the words are handed over unparsed (`find`, `expr`, `test`, ...).
        tells_itself: Whether it answers `--help` and `--version` in words of its own.
        permute: Whether options may follow operands.
        usage_status: The exit code of wrong usage: 1 for most, 2 for grep, ls, diff, ...
        description: More than the summary, for `man`.
    """

    name: str
    synopsis: str
    summary: str
    run: Run
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    raw: bool = False
    tells_itself: bool = False
    permute: bool = True
    usage_status: int = 1
    description: str = ""

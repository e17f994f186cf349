"""`basename`, `dirname` and `pathchk`: names, whatever is behind them."""

from __future__ import annotations

from typing import Final

from vshell.limits import MAX_NAME_BYTES, MAX_PATH_BYTES
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote, quote_typographic

_PORTABLE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
_POSIX_NAME: Final = 14
_POSIX_PATH: Final = 256


def run_basename(call: Invocation) -> int:
    operands = list(call.operands)
    if not operands:
        raise UsageError("missing operand")
    suffix = call.parsed.value("suffix")
    multiple = call.parsed.flag("multiple") or suffix is not None
    if not multiple and len(operands) > 2:
        raise UsageError(f"extra operand {quote_typographic(operands[2])}")
    if not multiple and len(operands) == 2:
        suffix = operands.pop()
    end = "\0" if call.parsed.flag("zero") else "\n"
    for operand in operands:
        call.write(_base(operand, suffix or "") + end)
    return 0


def _base(path: str, suffix: str) -> str:
    stripped = path.rstrip("/")
    if not stripped:
        return "/" if path else ""
    name = stripped.rpartition("/")[2]
    return name[: -len(suffix)] if suffix and name != suffix and name.endswith(suffix) else name


def run_dirname(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    end = "\0" if call.parsed.flag("zero") else "\n"
    for operand in call.operands:
        call.write(directory_of(operand) + end)
    return 0


def directory_of(path: str) -> str:
    """Return what `dirname` prints for a path."""
    stripped = path.rstrip("/")
    if not stripped:
        return "/" if path else "."
    directory, slash, _ = stripped.rpartition("/")
    if not slash:
        return "."
    return directory.rstrip("/") or "/"


def run_pathchk(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    portable = call.parsed.flag("p") or call.parsed.flag("portability")
    strict = call.parsed.flag("P") or call.parsed.flag("portability")
    problems = [_problem(path, portable, strict) for path in call.operands]
    for problem in problems:
        if problem:
            call.complain(problem)
    return 1 if any(problems) else 0


def _problem(path: str, portable: bool, strict: bool) -> str | None:
    names = path.split("/")
    if strict and any(name.startswith("-") for name in names):
        return f"leading '-' in a component of file name {quote(path)}"
    if not path and (portable or strict):
        return "empty file name"
    if not path:
        return "'': No such file or directory"
    alien = next((letter for letter in path if letter not in _PORTABLE), None)
    if portable and alien is not None:
        return f"nonportable character {quote_typographic(alien)} in file name {quote(path)}"
    longest_path, longest_name = (
        (_POSIX_PATH - 1, _POSIX_NAME) if portable else (MAX_PATH_BYTES - 1, MAX_NAME_BYTES)
    )
    size = len(path.encode("utf-8", "surrogateescape"))
    if size > longest_path:
        return f"limit {longest_path} exceeded by length {size} of file name {quote(path)}"
    for name in names:
        size = len(name.encode("utf-8", "surrogateescape"))
        if size > longest_name:
            return (
                f"limit {longest_name} exceeded by length {size}"
                f" of file name component {quote(name)}"
            )
    return None


_ZERO: Final = Option(("-z", "--zero"), "End each output line with NUL, not newline.")

COMMANDS: Final = (
    Command(
        "basename",
        "NAME [SUFFIX]\n  or:  basename OPTION... NAME...",
        "Print NAME with any leading directory components removed.",
        run_basename,
        options=(
            Option(("-a", "--multiple"), "Treat every argument as a NAME."),
            Option(("-s", "--suffix"), "Remove a trailing SUFFIX; implies -a.", "SUFFIX"),
            _ZERO,
        ),
        permute=False,
    ),
    Command(
        "dirname",
        "[OPTION] NAME...",
        "Print each NAME with its last component removed.",
        run_dirname,
        options=(_ZERO,),
        permute=False,
    ),
    Command(
        "pathchk",
        "[OPTION]... NAME...",
        "Tell whether names are valid or portable.",
        run_pathchk,
        options=(
            Option(("-p",), "Check for most POSIX systems."),
            Option(("-P",), "Check for empty names and leading '-'."),
            Option(("--portability",), "The same as -p -P."),
        ),
    ),
)

"""Where `cp`, `mv`, `ln` and `install` put things: a file, or something in a directory."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Invocation, Option, UsageError
from vshell.shell.messages import quote, reason
from vshell.shell.nodes import node_at, typed_join

TARGET_OPTIONS: Final = (
    Option(("-t", "--target-directory"), "Put all into DIRECTORY.", "DIRECTORY"),
    Option(("-T", "--no-target-directory"), "Treat the destination as a normal file."),
)


def destinations(call: Invocation, *, follow_last: bool = True) -> list[tuple[str, str]]:
    """Return each source with where it goes, as paths as typed.

    Args:
        call: The command's run, with `TARGET_OPTIONS`.
        follow_last: Whether a link that leads to a directory is one to put things in.

    Raises:
        UsageError: There are too few operands, or the directory is none.
    """
    parsed, operands = call.parsed, list(call.operands)
    if parsed.flag("target-directory") and parsed.flag("no-target-directory"):
        message = "cannot combine --target-directory (-t) and --no-target-directory (-T)"
        raise UsageError(message, hint=call.name == "install")
    directory = parsed.value("target-directory")
    if not operands or (len(operands) == 1 and directory is None):
        raise _too_few(operands)
    if directory is not None:
        _check_target(call, directory)
        return [(source, _inside(directory, source)) for source in operands]
    if parsed.flag("no-target-directory"):
        if len(operands) > 2:
            raise UsageError(f"extra operand {quote(operands[2])}")
        return [(operands[0], operands[1])]
    last = operands.pop()
    if _is_directory(call, last, follow_last):
        return [(source, _inside(last, source)) for source in operands]
    if len(operands) > 1:
        raise UsageError(_no_target(call, last), hint=False)
    return [(operands[0], last)]


def _too_few(operands: list[str]) -> UsageError:
    if not operands:
        return UsageError("missing file operand")
    after = quote(operands[0])
    return UsageError(f"missing destination file operand after {after}")


def _check_target(call: Invocation, directory: str) -> None:
    try:
        if node_at(call, directory, follow=True).kind == DIRECTORY:
            return
        why = "Not a directory"
    except VshellError as error:
        why = reason(error)
    doing = "failed to access" if call.name in ("ln", "install") else "target directory"
    raise UsageError(f"{doing} {quote(directory)}: {why}", hint=False)


def _no_target(call: Invocation, last: str) -> str:
    try:
        node_at(call, last, follow=True)
        why = "Not a directory"
    except VshellError as error:
        why = reason(error)
    return f"target {quote(last)}: {why}"


def _is_directory(call: Invocation, path: str, follow: bool) -> bool:
    try:
        node = node_at(call, path, follow=follow)
    except VshellError:
        return False
    return node.kind == DIRECTORY and node.kind != SYMLINK


def _inside(directory: str, source: str) -> str:
    name = source.rstrip("/").rpartition("/")[2]
    return typed_join(directory, name) if name else directory

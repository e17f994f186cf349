"""`mkdir` and `mktemp`: new directories, and new names."""

from __future__ import annotations

import secrets
import string
from typing import Final

from vshell.errors import ExistsError, NotFoundError, VshellError
from vshell.fs.schema import DIRECTORY
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.modes import Mode, umask_of
from vshell.shell.nodes import node_at

_ALPHABET: Final = string.ascii_letters + string.digits
_TRIES: Final = 100


def run_mkdir(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    mode = 0o777 & ~umask_of(call.context.files)
    text = call.parsed.value("mode")
    if text is not None:
        try:
            mode = Mode(text).apply(0o777, is_directory=True, umask=umask_of(call.context.files))
        except ValueError:
            raise UsageError(f"invalid mode {quote_typographic(text)}", hint=False) from None
    status = 0
    with call.context.changing(call.name):
        for operand in call.operands:
            status |= _make(call, operand, mode)
    return status


def _make(call: Invocation, operand: str, mode: int) -> int:
    parents = call.parsed.flag("parents")
    at = operand
    try:
        with call.context.changing(call.name):
            if parents:
                for at in _ancestors(operand):
                    if not _is_directory(call, at):
                        call.context.files.mkdir(
                            call.context.resolve(at), mode=0o777 & ~umask_of(call.context.files)
                        )
                        _tell(call, at)
                at = operand
                if _is_directory(call, at):
                    return 0
            call.context.files.mkdir(call.context.resolve(operand), mode=mode)
            _tell(call, operand)
    except VshellError as error:
        call.complain(
            f"cannot create directory {quote_typographic(at)}: {_reason(call, at, error)}"
        )
        return 1
    return 0


def _reason(call: Invocation, path: str, error: VshellError) -> str:
    if error.code == "exists" and call.parsed.flag("parents") and path != call.operands[-1]:
        return "Not a directory"
    return reason(error)


def _ancestors(path: str) -> list[str]:
    """Return the directories on the way to a path as they were typed, outermost first."""
    stripped = path.rstrip("/")
    found = []
    for place, letter in enumerate(stripped):
        if letter == "/" and place and stripped[place - 1] != "/":
            found.append(stripped[:place])
    return found


def _is_directory(call: Invocation, path: str) -> bool:
    try:
        return node_at(call, path, follow=True).kind == DIRECTORY
    except NotFoundError:
        return False


def _tell(call: Invocation, path: str) -> None:
    if call.parsed.flag("verbose"):
        call.write(f"{call.name}: created directory {quote(path)}\n")


def run_mktemp(call: Invocation) -> int:
    if len(call.operands) > 1:
        raise UsageError("too many templates")
    parsed = call.parsed
    template = call.operands[0] if call.operands else "tmp.XXXXXXXXXX"
    suffix = parsed.value("suffix")
    if suffix is None:
        stem = template.rstrip("/") if template.endswith("/") else template
        end = stem.rfind("X") + 1
        template, suffix = template[:end], template[end:]
        if not end:
            return _fail(call, f"too few X's in template {quote_typographic(suffix)}")
    elif not template.endswith("X"):
        message = "with --suffix, template {} must end in X"
        return _fail(call, message.format(quote_typographic(template)))
    count = len(template) - len(template.rstrip("X"))
    if count < 3:
        return _fail(call, f"too few X's in template {quote_typographic(template + suffix)}")
    if "/" in suffix:
        return _fail(
            call, f"invalid suffix {quote_typographic(suffix)}, contains directory separator"
        )
    directory = _temporary_directory(call, template)
    if directory is None:
        return 1
    stem = template[: len(template) - count]
    return _make_temporary(call, directory + stem, count, suffix)


def _temporary_directory(call: Invocation, template: str) -> str | None:
    """Return what goes before the template, with a slash; None after a complaint."""
    parsed = call.parsed
    asked = parsed.flag("tmpdir") or parsed.flag("p") or parsed.flag("t") or not call.operands
    if not asked:
        return ""
    given = parsed.value("p") or parsed.value("tmpdir")
    if parsed.flag("t"):
        if "/" in template:
            _fail(
                call,
                f"invalid template, {quote_typographic(template)}, contains directory separator",
            )
            return None
        directory = call.environment.get("TMPDIR") or given or "/tmp"  # noqa: S108
    else:
        directory = given or call.environment.get("TMPDIR") or "/tmp"  # noqa: S108
        if template.startswith("/"):
            _fail(
                call,
                f"invalid template, {quote_typographic(template)};"
                " with --tmpdir, it may not be absolute",
            )
            return None
    return directory if directory.endswith("/") else f"{directory}/"


def _make_temporary(call: Invocation, stem: str, count: int, suffix: str) -> int:
    files = call.context.files
    is_directory = call.parsed.flag("directory")
    for _ in range(_TRIES):
        name = stem + "".join(secrets.choice(_ALPHABET) for _ in range(count)) + suffix
        path = call.context.resolve(name)
        try:
            if call.parsed.flag("dry-run"):
                if files.exists(path, follow=False):
                    continue
            else:
                with call.context.changing(call.name):
                    _ensure_tmp(call, path)
                    if is_directory:
                        files.mkdir(path, mode=0o700)
                    else:
                        files.write(path, b"", mode=0o600, exist_ok=False)
        except ExistsError:
            continue
        except VshellError as error:
            kind = "directory" if is_directory else "file"
            shown = stem + "X" * count + suffix
            return _fail(
                call,
                f"failed to create {kind} via template {quote_typographic(shown)}: {reason(error)}",
            )
        call.write(name + "\n")
        return 0
    return _fail(call, "no free name was found")


def _ensure_tmp(call: Invocation, path: str) -> None:
    """Make `/tmp` when it is missing: every system has one, so programs count on it."""
    if path.startswith("/tmp/") and not call.context.files.exists("/tmp"):  # noqa: S108
        call.context.files.mkdir("/tmp", mode=0o1777)  # noqa: S108


def _fail(call: Invocation, message: str) -> int:
    if not call.parsed.flag("quiet") or "failed" not in message:
        call.complain(message)
    return 1


COMMANDS: Final = (
    Command(
        "mkdir",
        "[OPTION]... DIRECTORY...",
        "Create the DIRECTORY(ies), if they do not already exist.",
        run_mkdir,
        options=(
            Option(("-m", "--mode"), "Set file mode (as in chmod), not a=rwx - umask.", "MODE"),
            Option(("-p", "--parents"), "No error if existing, make parents as needed."),
            Option(("-v", "--verbose"), "Print a message for each created directory."),
        ),
    ),
    Command(
        "mktemp",
        "[OPTION]... [TEMPLATE]",
        "Create a temporary file or directory, safely, and print its name.",
        run_mktemp,
        options=(
            Option(("-d", "--directory"), "Create a directory, not a file."),
            Option(("-u", "--dry-run"), "Do not create anything; merely print a name."),
            Option(("-q", "--quiet"), "Do not complain about file and directory creation failure."),
            Option(("--suffix",), "Append SUFF to TEMPLATE; it must not contain a slash.", "SUFF"),
            Option(("-p",), "Interpret TEMPLATE relative to DIR.", "DIR"),
            Option(
                ("--tmpdir",), "Likewise; without DIR, to $TMPDIR or /tmp.", "DIR", optional=True
            ),
            Option(("-t",), "Interpret TEMPLATE as a file name in $TMPDIR, -p or /tmp."),
        ),
    ),
)

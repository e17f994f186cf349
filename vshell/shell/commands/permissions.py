"""`chmod`, `chown` and `chgrp`."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from typing import Final

from vshell.errors import NotFoundError, VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.modes import Mode
from vshell.shell.nodes import OWNER, OWNER_ID, Listing, node_at, typed_join
from vshell.shell.options import help_text, parse, version_text

_MODE_WORD: Final = re.compile(r"-[rwxXstugo0-7,+=-][rwxXstugoa0-7,+=-]*")


def run_chmod(call: Invocation) -> int:
    words, mode_words = _split_modes(call.operands)
    parsed = parse(_CHMOD_OPTIONS, words, call.environment)
    if parsed.last("help", "version") is not None:
        shown = help_text if parsed.flag("help") else version_text
        call.write(shown(_CHMOD_OPTIONS))
        return 0
    operands = list(parsed.operands)
    reference = parsed.value("reference")
    text = ",".join(mode_words)
    if not text and reference is None and operands:
        text = operands.pop(0)
        if not operands:
            raise UsageError(f"missing operand after {quote_typographic(text)}")
    if not operands:
        raise UsageError("missing operand")
    if reference is not None:
        try:
            text = f"{node_at(call, reference, follow=True).mode:o}".rjust(5, "0")
        except VshellError as error:
            call.complain(f"failed to get attributes of {quote(reference)}: {reason(error)}")
            return 1
    try:
        mode = Mode(text)
    except ValueError:
        raise UsageError(f"invalid mode: {quote_typographic(text)}") from None
    changer = _Changer(call, parsed, mode, surprising=bool(mode_words))
    with call.context.changing(call.name):
        for operand in operands:
            changer.change(operand)
    return changer.status


def _split_modes(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Take out what looks like an option and is a mode, such as `-w`."""
    rest: list[str] = []
    modes: list[str] = []
    for place, word in enumerate(words):
        if word == "--":
            return [*rest, *words[place:]], modes
        if _MODE_WORD.fullmatch(word):
            modes.append(word)
        else:
            rest.append(word)
    return rest, modes


class _Changer:
    def __init__(self, call: Invocation, parsed: Parsed, mode: Mode, *, surprising: bool) -> None:
        self._call = call
        self._files = call.context.files
        self._mode = mode
        self._recursive = parsed.flag("recursive")
        self._silent = parsed.flag("silent")
        self._all = parsed.flag("verbose")
        self._changes = parsed.flag("changes") or self._all
        self._surprising = surprising
        self.status = 0

    def change(self, operand: str) -> None:
        try:
            node = node_at(self._call, operand)
        except VshellError as error:
            self._fail(f"cannot access {quote(operand)}: {reason(error)}")
            if self._all:
                self._call.write(_failed(operand))
            return
        if node.kind == SYMLINK:
            try:
                node = node_at(self._call, operand, follow=True)
            except NotFoundError:
                self._fail(f"cannot operate on dangling symlink {quote(operand)}")
                if self._all:
                    self._call.write(f"{quote(operand)} could not be accessed\n")
                return
        self._set(operand, node)
        if self._recursive and node.kind == DIRECTORY:
            for typed, entry in walk_typed(self._call, operand, node.path):
                if entry.kind != SYMLINK:
                    self._set(typed, entry)
                elif self._all:
                    self._call.write(
                        f"neither symbolic link {quote(typed)} nor referent has been changed\n"
                    )

    def _set(self, name: str, node: EntryStat) -> None:
        is_directory = node.kind == DIRECTORY
        new = self._mode.apply(node.mode, is_directory=is_directory)
        if new != node.mode:
            try:
                with self._call.context.changing(self._call.name):
                    self._files.chmod(node.path, new)
            except VshellError as error:
                self._fail(f"changing permissions of {quote(name)}: {reason(error)}")
                return
        self._tell(name, node, new)
        naive = self._mode.apply(node.mode, is_directory=is_directory, umask=0)
        if self._surprising and new & ~naive:
            self._fail(
                f"{name}: new permissions are {_letters(new, node)}, not {_letters(naive, node)}"
            )

    def _tell(self, name: str, node: EntryStat, new: int) -> None:
        if new != node.mode and self._changes:
            self._call.write(
                f"mode of {quote(name)} changed from {node.mode:04o} ({_letters(node.mode, node)})"
                f" to {new:04o} ({_letters(new, node)})\n"
            )
        elif self._all:
            self._call.write(
                f"mode of {quote(name)} retained as {new:04o} ({_letters(new, node)})\n"
            )

    def _fail(self, message: str) -> None:
        if not self._silent:
            self._call.complain(message)
        self.status = 1


def _failed(name: str) -> str:
    return f"failed to change mode of {quote(name)} from 0000 (---------) to 0000 (---------)\n"


def _letters(mode: int, node: EntryStat) -> str:
    kind = stat.S_IFDIR if node.kind == DIRECTORY else stat.S_IFREG
    return stat.filemode(kind | mode)[1:]


def walk_typed(call: Invocation, operand: str, path: str) -> Iterator[tuple[str, EntryStat]]:
    """Yield what is below a directory, each before what is in it, by paths as typed."""
    listing = Listing(call.context.files, path)
    pending = [(operand, listing.top)]
    while pending:
        typed, directory = pending.pop()
        below = []
        for entry in listing.entries(directory):
            name = typed_join(typed, entry.path.rpartition("/")[2])
            yield name, entry
            if entry.kind == DIRECTORY:
                below.append((name, entry.path))
        pending += reversed(below)


def run_chown(call: Invocation) -> int:
    """Accept the owner that everything has, and refuse any other: there is only one."""
    parsed = call.parsed
    operands = list(call.operands)
    if parsed.value("reference") is None and operands:
        text = operands.pop(0)
        if not operands:
            raise UsageError(f"missing operand after {quote_typographic(text)}")
    else:
        text = OWNER
    if not operands:
        raise UsageError("missing operand")
    foreign = _foreign(call, text)
    status = 0
    for operand in operands:
        status |= _own(call, operand, foreign)
    return status


def _foreign(call: Invocation, text: str) -> bool:
    """Tell whether the text names somebody else than the one owner by number.

    Raises:
        UsageError: It names somebody who does not exist.
    """
    who = text
    if call.name == "chgrp":
        user, group = "", text
    else:
        user, separator, group = text.partition(":") if ":" in text else text.partition(".")
        if not separator:
            group = ""
    for name, kind in ((user, "user"), (group, "group")):
        if name and name != OWNER and not name.isdecimal():
            raise UsageError(f"invalid {kind}: {quote_typographic(who)}", hint=False)
    return any(name.isdecimal() and int(name) != OWNER_ID for name in (user, group))


def _own(call: Invocation, operand: str, foreign: bool) -> int:
    parsed = call.parsed
    what = "group" if call.name == "chgrp" else "ownership"
    silent = parsed.flag("silent")
    try:
        node = node_at(call, operand, follow=not parsed.flag("no-dereference"))
    except VshellError as error:
        if not silent:
            call.complain(f"cannot access {quote(operand)}: {reason(error)}")
        return 1
    named = [(operand, node)]
    if parsed.flag("recursive") and node.kind == DIRECTORY:
        named += walk_typed(call, operand, node.path)
    for name, _ in named:
        if foreign and not silent:
            call.complain(f"changing {what} of {quote(name)}: Operation not permitted")
        elif parsed.flag("verbose"):
            call.write(f"{what} of {quote(name)} retained as {OWNER}\n")
    return int(foreign)


_CHANGES: Final = Option(("-c", "--changes"), "Report only when a change is made.")
_SILENT: Final = Option(("-f", "--silent", "--quiet"), "Suppress most error messages.")
_VERBOSE: Final = Option(("-v", "--verbose"), "Output a diagnostic for every file processed.")
_RECURSIVE: Final = Option(("-R", "--recursive"), "Change files and directories recursively.")
_ROOT: Final = (
    Option(("--no-preserve-root",), "Do not treat '/' specially (the default)."),
    Option(("--preserve-root",), "Fail to operate recursively on '/'."),
)
_REFERENCE: Final = Option(("--reference",), "Use RFILE's values instead of typed ones.", "RFILE")


def _command(
    name: str, synopsis: str, summary: str, run: Callable[[Invocation], int], *options: Option
) -> Command:
    common = (_CHANGES, _SILENT, _VERBOSE, *_ROOT, _REFERENCE, _RECURSIVE)
    return Command(name, synopsis, summary, run, options=(*common, *options), raw=name == "chmod")


_LINKS: Final = (
    Option(("--dereference",), "Affect what links lead to (the default)."),
    Option(("-h", "--no-dereference"), "Affect links instead of what they lead to."),
    Option(("--from",), "Change only what has this owner now.", "CURRENT_OWNER"),
    Option(("-H",), "Follow links to directories among the operands."),
    Option(("-L",), "Follow every link to a directory."),
    Option(("-P",), "Follow no links (the default)."),
)
_ONE_OWNER: Final = "Everything in a workspace is root's: no other owner can be set."

_CHMOD_OPTIONS: Final = _command(
    "chmod",
    "[OPTION]... MODE[,MODE]... FILE...",
    "Change the mode of each FILE to MODE.",
    run_chmod,
)
COMMANDS: Final = (
    _CHMOD_OPTIONS,
    _command("chown", "[OPTION]... [OWNER][:[GROUP]] FILE...", _ONE_OWNER, run_chown, *_LINKS),
    _command("chgrp", "[OPTION]... GROUP FILE...", _ONE_OWNER, run_chown, *_LINKS),
)

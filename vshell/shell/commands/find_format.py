"""`-printf` and `-ls` of `find`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.command import UsageError
from vshell.shell.commands.find_entry import Found, Run
from vshell.shell.names import c_escaped
from vshell.shell.nodes import DEVICE, OWNER, OWNER_ID, disk_bytes, mode_text, sectors, shown_size
from vshell.shell.timeformat import format_time, zone_of

_LETTERS: Final = {FILE: "f", DIRECTORY: "d", SYMLINK: "l"}
_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_PART: Final = re.compile(
    r"\\(?:([0-7]{1,3})|(.))|%([-+ #0]*)(\d*)(?:\.(\d+))?(?:([TABC])(.)|(.))|([^\\%]+)|(.)",
    re.DOTALL,
)
_HALF_YEAR_NS: Final = 31_556_952 // 2 * 1_000_000_000
_NS: Final = 1_000_000_000


def parse_format(run: Run, text: str) -> Callable[[Found], str]:
    """Return what shows a thing as a format of `-printf` says.

    Raises:
        UsageError: The format is wrong.
    """
    shows: list[Callable[[Found], str]] = []
    for part in _PART.finditer(text):
        octal, escape, flags, width, precision, time, time_letter, letter, plain, alone = (
            part.groups()
        )
        if plain is not None or alone is not None:
            if alone == "%":
                raise UsageError("error: % at end of format string", hint=False)
            shows.append(_constant(plain or alone))
        elif octal is not None:
            shows.append(_constant(chr(int(octal, 8))))
        elif escape is not None:
            if escape == "c":
                break  # what follows is not looked at
            if escape not in _ESCAPES:
                run.call.complain(f"warning: unrecognized escape `\\{escape}'")
            shows.append(_constant(_ESCAPES.get(escape, f"\\{escape}")))
        else:
            value = _directive(run, time, time_letter or letter)
            if value is None:
                run.call.complain(f"warning: unrecognized format directive `%{letter}'")
                shows.append(_constant(f"%{flags}{width}{letter}"))
            else:
                shows.append(_padded(value, flags or "", width, precision))
    return lambda found: "".join(show(found) for show in shows)


def _constant(text: str) -> Callable[[Found], str]:
    return lambda _: text


def _padded(
    value: Callable[[Found], str], flags: str, width: str, precision: str | None
) -> Callable[[Found], str]:
    if not width and precision is None:
        return value
    size = min(int(width or 0), 4096)

    def show(found: Found) -> str:
        text = value(found)
        if precision is not None:
            text = text[: int(precision)]
        if "-" in flags:
            return text.ljust(size)
        return text.rjust(size)

    return show


def _directive(run: Run, time: str | None, letter: str) -> Callable[[Found], str] | None:
    zone = zone_of(run.call.environment)
    if time == "B":
        return lambda _: ""
    if time is not None:
        pattern = _time_pattern(letter)
        return lambda found: format_time(pattern, _time_ns(found, time), zone)
    if letter in "act":
        which = {"a": "A", "c": "C", "t": "T"}[letter]
        return lambda found: format_time("%a %b %e %H:%M:%S.%N0 %Y", _time_ns(found, which), zone)
    if letter == "l":
        return lambda found: _target(run, found)
    if letter == "Y":
        return lambda found: _other_type(run, found)
    return _SIMPLE.get(letter)


def _time_pattern(letter: str) -> str:
    special = {
        "@": "%s.%N0",
        "+": "%Y-%m-%d+%H:%M:%S.%N0",
        "T": "%H:%M:%S.%N0",
        "X": "%H:%M:%S.%N0",
        "S": "%S.%N0",
    }
    return special.get(letter, f"%{letter}")


def _time_ns(found: Found, which: str) -> int:
    return found.node.ctime_ns if which == "C" else found.node.mtime_ns


def _target(run: Run, found: Found) -> str:
    if found.node.kind != SYMLINK:
        return ""
    return run.call.context.files.readlink(found.node.path)


def _other_type(run: Run, found: Found) -> str:
    if found.node.kind != SYMLINK:
        return _LETTERS[found.node.kind]
    try:
        return run.call.context.files.stat(found.node.path).kind[0]
    except VshellError as error:
        return "L" if error.code == "symlink_loop" else "N"


def _top_name(path: str) -> str:
    """Return a starting point's name, which keeps the slashes that were typed after it."""
    stripped = path.rstrip("/")
    return path[stripped.rfind("/") + 1 :] if stripped else "/"


_SIMPLE: Final[dict[str, Callable[[Found], str]]] = {
    "%": lambda _: "%",
    "p": lambda found: found.path,
    "f": lambda found: found.name if found.depth else _top_name(found.path),
    "h": lambda found: found.directory,
    "P": lambda found: found.below,
    "H": lambda found: found.start,
    "s": lambda found: str(shown_size(found.node)),
    "b": lambda found: str(sectors(found.node)),
    "k": lambda found: str(-(-disk_bytes(found.node) // 1024)),
    "d": lambda found: str(found.depth),
    "D": lambda _: str(DEVICE),
    "F": lambda _: "vshell",
    "g": lambda _: OWNER,
    "G": lambda _: str(OWNER_ID),
    "u": lambda _: OWNER,
    "U": lambda _: str(OWNER_ID),
    "i": lambda found: str(found.node.inode),
    "m": lambda found: f"{found.node.mode:o}",
    "M": lambda found: mode_text(found.node),
    "n": lambda found: str(found.node.nlink),
    "y": lambda found: _LETTERS[found.node.kind],
    "S": lambda found: f"{disk_bytes(found.node) / found.node.size:g}" if found.node.size else "1",
    "Z": lambda _: "",
}


def long_line(run: Run, found: Found) -> str:
    """Return a line as `ls -dils` has it."""
    node = found.node
    now_ns = run.call.context.files.store.now()
    recent = now_ns - _HALF_YEAR_NS < node.mtime_ns <= now_ns
    when = format_time(
        "%b %e %H:%M" if recent else "%b %e  %Y", node.mtime_ns, zone_of(run.call.environment)
    )
    name = c_escaped(found.path, ' "')
    if node.kind == SYMLINK:
        name += " -> " + c_escaped(_target(run, found), ' "')
    blocks = -(-disk_bytes(node) // 1024)
    return (
        f"{node.inode:>9} {blocks:>6} {mode_text(node)} {node.nlink:>3} {OWNER:<8} {OWNER:<8}"
        f" {shown_size(node):>8} {when} {name}\n"
    )

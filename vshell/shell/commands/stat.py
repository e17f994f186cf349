"""`stat`: what is known of files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import SYMLINK
from vshell.shell.asking import file_type
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote, reason
from vshell.shell.nodes import (
    BLOCK_BYTES,
    DEVICE,
    OWNER,
    OWNER_ID,
    TYPE_BITS,
    mode_text,
    node_at,
    sectors,
    shown_size,
)
from vshell.shell.space import space
from vshell.shell.timeformat import format_time, zone_of

TIME: Final = "%Y-%m-%d %H:%M:%S.%N %z"
_PART: Final = re.compile(r"%([-+ #0']*)(\d*)(?:\.(\d*))?([HL]?[a-zA-Z%])|%|[^%]+", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.|\Z)", re.DOTALL)
_ESCAPES: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "\\": "\\",
}  # fmt: skip

_DEFAULT: Final = (
    "  File: %N\n"
    "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
    "Device: %Hd,%Ld\tInode: %-10i  Links: %h\n"
    "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w\n"
)
_TERSE: Final = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n"
_FILE_SYSTEM: Final = (
    '  File: "%n"\n    ID: %-8i Namelen: %-7l Type: %T\n'
    "Block size: %-10s Fundamental block size: %S\n"
    "Blocks: Total: %-10b Free: %-10f Available: %a\n"
    "Inodes: Total: %-10c Free: %d\n"
)


# stat


def run_stat(call: Invocation) -> int:
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand")
    name = parsed.last("format", "printf")
    pattern = parsed.value(name) if name else None
    if name == "printf":
        pattern = _unescaped(call, pattern or "")
    elif name == "format":
        pattern = f"{pattern}\n"
    elif parsed.flag("terse"):
        pattern = _TERSE
    on_files = not parsed.flag("file-system")
    status = 0
    for operand in call.operands:
        try:
            node = node_at(call, operand, follow=parsed.flag("dereference") or not on_files)
        except VshellError as error:
            doing = "cannot statx" if on_files else "cannot read file system information for"
            call.complain(f"{doing} {quote(operand)}: {reason(error)}")
            status = 1
            continue
        if on_files:
            values = _file_values(call, operand, node)
            call.write(_filled(pattern or _DEFAULT, values))
        else:
            call.write(_filled(pattern or _FILE_SYSTEM, _space_values(call, operand)))
    return status


def _unescaped(call: Invocation, text: str) -> str:
    def one(found: re.Match[str]) -> str:
        body = found[1]
        if not body:
            call.complain("warning: backslash at end of format")
            return "\\"
        if body in _ESCAPES:
            return _ESCAPES[body]
        if body[0] in "01234567":
            return chr(int(body, 8) & 0xFF)
        if body[0] == "x" and len(body) > 1:
            return chr(int(body[1:], 16))
        call.complain(f"warning: unrecognized escape '\\{body}'")
        return body

    return _ESCAPE.sub(one, text)


def _filled(pattern: str, values: Callable[[str], str | int | None]) -> str:
    out: list[str] = []
    for part in _PART.finditer(pattern):
        letter = part[4]
        if letter is None:
            out.append(part[0])
            continue
        flags, width, precision = part[1], int(part[2] or 0), part[3]
        if letter == "%":
            out.append("%")
            continue
        value = values(letter)
        if value is None:
            out.append("?")
            continue
        out.append(_padded(value, letter, flags, min(width, 4096), precision))
    return "".join(out)


def _padded(value: str | int, letter: str, flags: str, width: int, precision: str | None) -> str:
    text = str(value)
    if isinstance(value, int):
        text = f"{value:o}" if letter == "a" else f"{value:x}" if letter in "ftTDR" else text
        if letter == "a" and "#" in flags:
            text = "0" + text
    elif letter in "XYZW" and precision is not None:
        seconds, _, fraction = text.partition(".")
        digits = int(precision) if precision else 9
        text = f"{seconds}.{fraction[:digits].ljust(digits, '0')}" if digits else seconds
    elif letter in "XYZW":
        text = text.partition(".")[0]
    elif precision:
        text = text[: int(precision)]
    if "-" in flags:
        return text.ljust(width)
    return text.rjust(width, "0" if "0" in flags and isinstance(value, int) else " ")


def _file_values(
    call: Invocation, operand: str, node: EntryStat
) -> Callable[[str], str | int | None]:
    zone = zone_of(call.environment)

    def name() -> str:
        names = [operand]
        if node.kind == SYMLINK:
            names.append(call.context.files.readlink(node.path))
        return " -> ".join(names if _is_default(call) else map(quote, names))

    def seconds(time_ns: int) -> str:
        return format_time("%s.%N", time_ns, zone)

    values: dict[str, Callable[[], str | int]] = {
        "a": lambda: node.mode,
        "A": lambda: mode_text(node),
        "b": lambda: sectors(node),
        "B": lambda: 512,
        "C": lambda: "?",
        "d": lambda: DEVICE,
        "D": lambda: DEVICE,
        "Hd": lambda: DEVICE >> 8,
        "Ld": lambda: DEVICE & 0xFF,
        "f": lambda: TYPE_BITS[node.kind] | node.mode,
        "F": lambda: file_type(node),
        "g": lambda: OWNER_ID,
        "G": lambda: OWNER,
        "h": lambda: node.nlink,
        "i": lambda: node.inode,
        "m": lambda: "/",
        "n": lambda: operand,
        "N": name,
        "o": lambda: BLOCK_BYTES,
        "r": lambda: 0,
        "R": lambda: 0,
        "s": lambda: shown_size(node),
        "t": lambda: 0,
        "T": lambda: 0,
        "u": lambda: OWNER_ID,
        "U": lambda: OWNER,
        "w": lambda: "-",
        "W": lambda: "0",
        "x": lambda: format_time(TIME, node.mtime_ns, zone),
        "X": lambda: seconds(node.mtime_ns),
        "y": lambda: format_time(TIME, node.mtime_ns, zone),
        "Y": lambda: seconds(node.mtime_ns),
        "z": lambda: format_time(TIME, node.ctime_ns, zone),
        "Z": lambda: seconds(node.ctime_ns),
    }
    return lambda letter: values[letter]() if letter in values else None


def _is_default(call: Invocation) -> bool:
    return call.parsed.last("format", "printf") is None


def _space_values(call: Invocation, operand: str) -> Callable[[str], str | int | None]:
    total, free, entries = space(call)
    values: dict[str, str | int] = {
        "a": free // BLOCK_BYTES,
        "b": total // BLOCK_BYTES,
        "c": entries,
        "d": 0,
        "f": free // BLOCK_BYTES,
        "i": "0",
        "l": 255,
        "n": operand,
        "s": BLOCK_BYTES,
        "S": BLOCK_BYTES,
        "t": "0",
        "T": "vshell",
    }
    return values.get


COMMANDS: Final = (
    Command(
        "stat",
        "[OPTION]... FILE...",
        "Display file or file system status.",
        run_stat,
        options=(
            Option(("-L", "--dereference"), "Follow links."),
            Option(("-f", "--file-system"), "Display file system status instead."),
            Option(("--cached",), "Accepted; nothing is remote.", "MODE"),
            Option(("-c", "--format"), "Use FORMAT, with a newline after each use.", "FORMAT"),
            Option(("--printf",), "Like --format, but interpret backslash escapes.", "FORMAT"),
            Option(("-t", "--terse"), "Print the information in terse form."),
        ),
    ),
)

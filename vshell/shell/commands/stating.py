"""`stat`, `du` and `df`: metadata and space."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.ops.upkeep import usage
from vshell.shell.asking import file_type
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, read_all, to_bytes, to_text
from vshell.shell.messages import quote, quote_if_needed, quote_typographic, reason
from vshell.shell.nodes import (
    BLOCK_BYTES,
    DEVICE,
    OWNER,
    OWNER_ID,
    TYPE_BITS,
    Listing,
    disk_bytes,
    mode_text,
    node_at,
    sectors,
    shown_size,
    typed_join,
)
from vshell.shell.sizes import Scale, scale_of
from vshell.shell.timeformat import format_time, zone_of
from vshell.shell.wildcards import wildcard_matches

_FREE_BYTES: Final = 64 * 1024**3
"""What `df` says is free when there is no quota: nothing else is a limit that it knows."""

_TIME: Final = "%Y-%m-%d %H:%M:%S.%N %z"
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
        "x": lambda: format_time(_TIME, node.mtime_ns, zone),
        "X": lambda: seconds(node.mtime_ns),
        "y": lambda: format_time(_TIME, node.mtime_ns, zone),
        "Y": lambda: seconds(node.mtime_ns),
        "z": lambda: format_time(_TIME, node.ctime_ns, zone),
        "Z": lambda: seconds(node.ctime_ns),
    }
    return lambda letter: values[letter]() if letter in values else None


def _is_default(call: Invocation) -> bool:
    return call.parsed.last("format", "printf") is None


def _space_values(call: Invocation, operand: str) -> Callable[[str], str | int | None]:
    total, free, entries = _space(call)
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


def _space(call: Invocation) -> tuple[int, int, int]:
    """Return the bytes that there are, those that are free, and the number of files."""
    found = usage(call.context)
    entries = found.files + found.directories + found.symlinks
    if found.quota_bytes is None:
        return found.live_bytes + _FREE_BYTES, _FREE_BYTES, entries
    return found.quota_bytes, max(0, found.quota_bytes - found.live_bytes), entries


# du


class _Usage:
    def __init__(self, call: Invocation, scale: Scale) -> None:
        parsed = call.parsed
        self._call = call
        self._files = call.context.files
        self._scale = scale
        self._apparent = parsed.flag("apparent-size") or parsed.flag("bytes")
        self._all = parsed.flag("all")
        self._separate = parsed.flag("separate-dirs")
        self._inodes = parsed.flag("inodes")
        self._times = parsed.flag("time")
        self._count_links = parsed.flag("count-links")
        self._follow = parsed.last("dereference", "no-dereference", "dereference-args") or ""
        self._depth = _max_depth(call)
        self._threshold = _threshold(parsed.value("threshold"))
        self._excluded = _patterns(call)
        self._seen: set[int] = set()
        self._end = "\0" if parsed.flag("null") else "\n"
        self._zone = zone_of(call.environment)
        self.total = 0
        self.newest = 0
        self.status = 0

    def operand(self, typed: str, out: BufferedOutput) -> None:
        try:
            node = node_at(
                self._call, typed, follow=self._follow in ("dereference", "dereference-args")
            )
        except VshellError as error:
            out.flush()
            self._call.complain(f"cannot access {quote(typed)}: {reason(error)}")
            self.status = 1
            return
        if node.inode in self._seen or self._is_excluded(typed):
            return
        listing = Listing(self._files, node.path) if node.kind == DIRECTORY else None
        size, newest = self._measure(typed, node, listing, 0, out)
        self._seen.add(node.inode)
        self.total += size
        self.newest = max(self.newest, newest)

    def _own(self, node: EntryStat) -> int:
        if self._inodes:
            return 1
        return shown_size(node) if self._apparent else disk_bytes(node)

    def _is_excluded(self, path: str) -> bool:
        if not self._excluded:
            return False
        name = path.rpartition("/")[2]
        return any(
            wildcard_matches(pattern, name) or wildcard_matches(pattern, path)
            for pattern in self._excluded
        )

    def _measure(
        self,
        typed: str,
        node: EntryStat,
        listing: Listing | None,
        depth: int,
        out: BufferedOutput,
    ) -> tuple[int, int]:
        """Return the size of a thing with all that is in it, and its newest time."""
        if (node.kind != DIRECTORY and node.nlink > 1) or node.kind == DIRECTORY:
            if node.inode in self._seen and not self._count_links:
                return 0, 0
            self._seen.add(node.inode)
        size, newest = self._own(node), node.mtime_ns
        shown = size
        if node.kind == DIRECTORY and listing is not None:
            real = listing.top if depth == 0 else node.path
            for entry in listing.entries(real):
                name = typed_join(typed, entry.path.rpartition("/")[2])
                if self._is_excluded(name):
                    continue
                below, at = self._child(name, entry, listing, depth, out)
                size += below
                newest = max(newest, at)
                if entry.kind != DIRECTORY:
                    shown += below
        if node.kind == DIRECTORY or self._all or depth == 0:
            self._print(typed, shown if self._separate else size, newest, depth, out)
        return size, newest

    def _child(
        self, name: str, entry: EntryStat, listing: Listing, depth: int, out: BufferedOutput
    ) -> tuple[int, int]:
        if entry.kind == SYMLINK and self._follow == "dereference":
            try:
                target = node_at(self._call, name, follow=True)
            except VshellError as error:
                out.flush()
                self._call.complain(f"cannot access {quote(name)}: {reason(error)}")
                self.status = 1
                return 0, 0
            if target.kind == DIRECTORY:
                listing = Listing(self._files, target.path)
                target = target._replace(path=listing.top)
            return self._measure(name, target, listing, depth + 1, out)
        return self._measure(name, entry, listing, depth + 1, out)

    def _print(self, typed: str, size: int, newest: int, depth: int, out: BufferedOutput) -> None:
        if self._depth is not None and depth > self._depth:
            return
        if self._threshold is not None:
            low = self._threshold
            if (low >= 0 and size < low) or (low < 0 and size > -low):
                return
        self.line(size, newest, typed, out)

    def line(self, size: int, newest: int, typed: str, out: BufferedOutput) -> None:
        text = str(size) if self._inodes and self._scale.block else self._scale.show(size)
        if self._times:
            style = self._call.parsed.value("time-style", "long-iso") or ""
            patterns = {"full-iso": _TIME, "long-iso": "%Y-%m-%d %H:%M", "iso": "%Y-%m-%d"}
            pattern = style[1:] if style.startswith("+") else patterns.get(style)
            if pattern is None:
                shown = f"{quote_typographic(style)} for {quote_typographic('time style')}"
                raise UsageError(f"invalid argument {shown}")
            text += "\t" + format_time(pattern, newest, self._zone)
        out.write(to_bytes(f"{text}\t{typed}{self._end}"))


def _max_depth(call: Invocation) -> int | None:
    parsed = call.parsed
    text = parsed.value("max-depth")
    if parsed.flag("summarize"):
        if parsed.flag("all"):
            raise UsageError("cannot both summarize and show all entries")
        if text is not None and text != "0":
            raise UsageError(f"warning: summarizing conflicts with --max-depth={text}")
        return 0
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid maximum depth {quote_typographic(text)}")
    return int(text[:9])


def _threshold(text: str | None) -> int | None:
    if text is None:
        return None
    from vshell.shell.command_io import parse_size

    sign = -1 if text.startswith("-") else 1
    size = parse_size(text.removeprefix("-"))
    if size is None or (size == 0 and sign < 0):
        raise UsageError(f"invalid -t argument '{text}'", hint=False)
    return sign * size


def _patterns(call: Invocation) -> list[str]:
    patterns = call.parsed.values("exclude")
    for name in call.parsed.values("exclude-from"):
        try:
            patterns += to_text(read_all(call, name)).splitlines()
        except VshellError as error:
            raise UsageError(f"{name}: {reason(error)}", hint=False) from None
    return patterns


def run_du(call: Invocation) -> int:
    parsed = call.parsed
    scale = scale_of(
        parsed,
        call.environment,
        units={"k": 1024, "m": 1024**2, "bytes": 1},
        default=1024,
        variable="DU_BLOCK_SIZE",
    )
    operands = list(call.operands) or ["."]
    listed = parsed.value("files0-from")
    if listed is not None:
        try:
            operands = [name for name in to_text(read_all(call, listed)).split("\0") if name]
        except VshellError as error:
            call.complain(f"cannot open {quote(listed)} for reading: {reason(error)}")
            return 1
    counter = _Usage(call, scale)
    with BufferedOutput(call.stdout) as out:
        for operand in operands:
            counter.operand(operand, out)
        if parsed.flag("total"):
            counter.line(counter.total, counter.newest, "total", out)
    return counter.status


# df


def run_df(call: Invocation) -> int:
    parsed = call.parsed
    status = 0
    found = not call.operands
    for operand in call.operands:
        try:
            node_at(call, operand, follow=True)
            found = True
        except VshellError as error:
            call.complain(f"{quote_if_needed(operand)}: {reason(error)}")
            status = 1
    if not found:
        if not status:
            call.complain("no file systems processed")
        return 1
    scale = scale_of(
        parsed,
        call.environment,
        units={"k": 1024, "m": 1024**2},
        default=1024,
        variable="DF_BLOCK_SIZE",
    )
    total, free, entries = _space(call)
    used = total - free
    percent = f"{-(-used * 100 // total)}%" if total else "-"
    if parsed.flag("inodes"):
        titles = ["Filesystem", "Inodes", "IUsed", "IFree", "IUse%", "Mounted on"]
        row = ["vshell", str(entries), str(entries), "0", "100%", "/"]
    else:
        heading = _heading(scale, portable=parsed.flag("portability"))
        titles = ["Filesystem", heading, "Used", "Available", "Use%", "Mounted on"]
        if not scale.block:
            titles[3] = "Avail"
        row = ["vshell", scale.show(total), scale.show(used), scale.show(free), percent, "/"]
    if parsed.flag("print-type"):
        titles.insert(1, "Type")
        row.insert(1, "vshell")
    rows = [titles, row]
    if parsed.flag("total"):
        rows.append(["total", *row[1:-1], "-"])
    call.write(_table(rows, texts=2 if parsed.flag("print-type") else 1))
    return status


def _heading(scale: Scale, *, portable: bool) -> str:
    if not scale.block:
        return "Size"
    if portable:
        return f"{scale.block}-blocks"
    return f"{Scale(0).show(scale.block).removesuffix('.0')}-blocks".replace(".0", "")


def _table(rows: list[list[str]], *, texts: int) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = max(widths[0], 14)
    for place in range(texts, len(widths) - 1):
        widths[place] = max(widths[place], 4 if place == len(widths) - 2 else 5)
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        ]
        lines.append(" ".join([*cells, row[-1]]) + "\n")
    return "".join(lines)


_SIZES: Final = (
    Option(("-h", "--human-readable"), "Print sizes in human readable format."),
    Option(("--si",), "Like -h, but use powers of 1000 not 1024."),
    Option(("-B", "--block-size"), "Scale sizes by SIZE before printing them.", "SIZE"),
    Option(("-k",), "Like --block-size=1K."),
    Option(("-m",), "Like --block-size=1M."),
)

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
    Command(
        "du",
        "[OPTION]... [FILE]...",
        "Summarize device usage of the set of FILEs, recursively for directories.",
        run_du,
        options=(
            Option(("-0", "--null"), "End each output line with NUL, not newline."),
            Option(("-a", "--all"), "Write counts for all files, not just directories."),
            Option(("--apparent-size",), "Print apparent sizes rather than device usage."),
            Option(("-b", "--bytes"), "Equivalent to --apparent-size --block-size=1."),
            Option(("-c", "--total"), "Produce a grand total."),
            Option(("-D", "-H", "--dereference-args"), "Dereference operands that are links."),
            Option(("-d", "--max-depth"), "Print the total only for N levels.", "N"),
            Option(("--files0-from",), "Summarize the NUL-terminated names in file F.", "F"),
            Option(("--inodes",), "List inode usage information instead of blocks."),
            Option(("-l", "--count-links"), "Count sizes many times if hard linked."),
            Option(("-L", "--dereference"), "Dereference all symbolic links."),
            Option(("-P", "--no-dereference"), "Don't follow any symbolic links (the default)."),
            Option(("-S", "--separate-dirs"), "Do not include size of subdirectories."),
            Option(("-s", "--summarize"), "Display only a total for each argument."),
            Option(("-t", "--threshold"), "Exclude entries smaller than SIZE.", "SIZE"),
            Option(("--time",), "Show the time of the last modification.", "WORD", optional=True),
            Option(("--time-style",), "full-iso, long-iso, iso, or +FORMAT.", "STYLE"),
            Option(("-X", "--exclude-from"), "Exclude files that match a pattern in FILE.", "FILE"),
            Option(("--exclude",), "Exclude files that match PATTERN.", "PATTERN"),
            Option(("-x", "--one-file-system"), "Skip other file systems; there are none."),
            *_SIZES,
        ),
    ),
    Command(
        "df",
        "[OPTION]... [FILE]...",
        "Show how much space the workspace has: its quota, or what it may have.",
        run_df,
        options=(
            Option(("-a", "--all"), "Include pseudo file systems; there are none."),
            Option(("-i", "--inodes"), "List inode information instead of block usage."),
            Option(("-l", "--local"), "Limit listing to local file systems."),
            Option(("-P", "--portability"), "Use the POSIX output format."),
            Option(("--total",), "Produce a grand total."),
            Option(("-T", "--print-type"), "Print file system type."),
            *_SIZES,
        ),
    ),
)

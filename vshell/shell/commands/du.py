"""`du`: how much room files take."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, read_all, to_bytes, to_text
from vshell.shell.commands.stat import TIME
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.nodes import (
    Listing,
    disk_bytes,
    node_at,
    shown_size,
    typed_join,
)
from vshell.shell.sizes import Scale, scale_of
from vshell.shell.timeformat import format_time, zone_of
from vshell.shell.wildcards import wildcard_matches

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
            patterns = {"full-iso": TIME, "long-iso": "%Y-%m-%d %H:%M", "iso": "%Y-%m-%d"}
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


SIZES: Final = (
    Option(("-h", "--human-readable"), "Print sizes in human readable format."),
    Option(("--si",), "Like -h, but use powers of 1000 not 1024."),
    Option(("-B", "--block-size"), "Scale sizes by SIZE before printing them.", "SIZE"),
    Option(("-k",), "Like --block-size=1K."),
    Option(("-m",), "Like --block-size=1M."),
)


COMMANDS: Final = (
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
            *SIZES,
        ),
    ),
)

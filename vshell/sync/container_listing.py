"""What a container says about its files, checked before it is believed.

GNU's `find` tells all about an entry in one record that ends in a NUL. Other tools (those
of BusyBox, which Alpine has) tell names and numbers apart from each other: names that end in
NULs, then for each a line with numbers and the name again. As the names are known when the
lines are read, it does not matter what is in them.
"""

from __future__ import annotations

import heapq
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Final

from vshell.errors import CorruptError, TooLargeError
from vshell.limits import MAX_NAME_BYTES
from vshell.sync.docker_machine import CONTROL
from vshell.sync.rules import DirectoryTiers, Rules
from vshell.sync.target import DIRECTORY, FILE, OTHER, SYMLINK, Entry, is_temporary

__all__ = [
    "CLOCK",
    "CLOSED_RECORD",
    "NUMBERS",
    "RECORD",
    "belonging",
    "capped",
    "clock_ns",
    "entry_of",
    "in_tree_order",
    "is_root",
    "records",
    "told",
    "too_many",
]

CLOCK: Final = f"{CONTROL}/clock"
"""A file that is written anew before a look, so that its time is that of the look."""

RECORD: Final = r"%y %m %s %T@ %C@ %i %p\0"
"""What GNU's `find` says of an entry; the path is last, for it may hold anything."""

NUMBERS: Final = "%f %s %Y %Z %i %y %z %n"
"""What `stat` of other tools says; the fractions of seconds are in the dates alone."""

CLOSED: Final = b"!"
"""The kind of a directory that the container's user cannot look into."""

CLOSED_RECORD: Final = RECORD.replace("%y", CLOSED.decode())

_KINDS: Final = {b"f": FILE, b"d": DIRECTORY, b"l": SYMLINK}
_LETTERS: Final = {0o100000: b"f", 0o040000: b"d", 0o120000: b"l"}
_FIELDS: Final = re.compile(
    rb"(.) ([0-7]{1,4}) (\d{1,18}) (-?\d{1,11})(?:\.(\d{1,10}))? (-?\d{1,11})(?:\.(\d{1,10}))?"
    rb" (\d{1,18}) (?:\./)?(.+)",
    re.DOTALL,
)
_LINE: Final = re.compile(
    rb"([0-9a-f]{1,8}) (\d{1,18}) (-?\d{1,11}) (-?\d{1,11}) (\d{1,18})"
    rb" [-\d]+ [:\d]+(?:\.(\d{1,9}))? [-+]\d{4} [-\d]+ [:\d]+(?:\.(\d{1,9}))? [-+]\d{4} "
)
_SECOND_NS: Final = 10**9
_TICK_NS: Final = 20_000_000
"""Two clock ticks of a slow kernel: a file that changes again in one keeps its times."""

_SLOW_TICK_NS: Final = 2 * _SECOND_NS
"""The same where times have no fractions of seconds."""

_MAX_RECORD_BYTES: Final = 8192
_TOGETHER: Final = 20_000
"""How many records are sorted in memory; more wait in temporary files."""


def records(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what ends in NULs.

    Raises:
        CorruptError: One is too long to be an entry.
    """
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
        if len(rest) > _MAX_RECORD_BYTES:
            raise CorruptError("the container sent a name that is too long")


def told(names: Iterable[bytes], lines: bytes) -> Iterator[bytes]:
    """Yield as records what `stat` said of those names that are there, in their order."""
    place = 0
    for name in names:
        found = _LINE.match(lines, place)
        if found is None:
            break
        if not lines.startswith(name + b"\n", found.end()):
            continue  # there is nothing of that name
        place = found.end() + len(name) + 1
        mode, size, mtime, ctime, inode, mtime_fraction, ctime_fraction = found.groups(b"0")
        bits = int(mode, 16)
        yield b"%b %o %b %b.%b %b.%b %b %b" % (
            _LETTERS.get(bits & 0o170000, b"?"),
            bits & 0o7777,
            size,
            mtime,
            mtime_fraction,
            ctime,
            ctime_fraction,
            inode,
            name,
        )
    if place != len(lines):
        raise CorruptError("the container described files that nobody asked about")


def in_tree_order(unsorted: Iterable[bytes]) -> Iterator[bytes]:
    """Yield records sorted by their paths; only some are in memory, however many there are."""
    with ExitStack() as files:
        runs: list[Iterator[bytes]] = []
        some: list[bytes] = []
        for record in unsorted:
            some.append(record)
            if len(some) == _TOGETHER:
                some.sort(key=_tree_key)
                runs.append(_spilled(files.enter_context(tempfile.TemporaryFile()), some))
                some = []
        some.sort(key=_tree_key)
        yield from heapq.merge(*runs, some, key=_tree_key) if runs else some


def _spilled(file: IO[bytes], some: list[bytes]) -> Iterator[bytes]:
    file.write(b"\0".join([*some, b""]))
    file.seek(0)
    return records(iter(lambda: file.read(65536), b""))


def _tree_key(record: bytes) -> bytes:
    return record.split(b" ", 6)[-1].replace(b"/", b"\0")


def clock_ns(record: bytes) -> int:
    """Return the container's time, which the first record of an answer tells."""
    found = _FIELDS.fullmatch(record)
    if found is None or found[9] != CLOCK.encode():
        raise CorruptError("the container does not tell the time")
    return _time_ns(found[4], found[5])


def entry_of(record: bytes, now_ns: int) -> Entry:
    """Return what a record says.

    Raises:
        CorruptError: It says what cannot be.
    """
    found = _FIELDS.fullmatch(record)
    if found is None:
        raise CorruptError("the container described a file in a way that nobody does")
    letter, mode, size, seconds, fraction, changed_s, changed_fraction, inode, name = found.groups()
    if name[:1] == b"/" or name[-1:] == b"/" or b"//" in name or (b"." in name and _is_odd(name)):
        raise CorruptError("the container described a file with an impossible name")
    path = name.decode("utf-8", "surrogateescape")
    kind = _KINDS.get(letter, OTHER)
    bits = int(mode, 8) & 0o7777
    if kind == DIRECTORY:
        return Entry(path, kind, bits, 0, 0, 0, 0)
    mtime_ns, changed_ns = _time_ns(seconds, fraction), _time_ns(changed_s, changed_fraction)
    reason = "" if kind != OTHER else "neither file, directory nor link"
    if letter == CLOSED:
        reason = "it cannot be looked into"
    if len(name) > MAX_NAME_BYTES and max(map(len, name.split(b"/"))) > MAX_NAME_BYTES:
        reason = "its name is too long"
    racy = max(changed_ns, mtime_ns) >= now_ns - (
        _TICK_NS if changed_ns % _SECOND_NS else _SLOW_TICK_NS
    )
    return Entry(path, kind, bits, int(size), mtime_ns, changed_ns, int(inode), racy, reason)


def _is_odd(name: bytes) -> bool:
    return not {b".", b".."}.isdisjoint(name.split(b"/"))


def _time_ns(seconds: bytes, fraction: bytes | None) -> int:
    return int(seconds) * _SECOND_NS + int((fraction or b"")[:9].ljust(9, b"0"))


def belonging(
    entries: Iterable[Entry], rules: Rules, max_entries: int, left_over: list[str]
) -> Iterator[Entry]:
    """Yield those entries that the rules do not leave out, by themselves or from above.

    Args:
        entries: In tree order.
        rules: What belongs to the mirror.
        max_entries: How many may be yielded.
        left_over: Gets the paths of what a synchronisation left that was killed.
    """
    places: list[tuple[str, DirectoryTiers]] = [("", rules.top())]
    left_out: str | None = None
    last = ""
    count = 0
    for entry in entries:
        path = entry.path
        if path == last:
            raise CorruptError("the container described a file twice")
        last = path
        if left_out is not None and path.startswith(left_out):
            continue
        parent, _, name = path.rpartition("/")
        while places[-1][0] != parent:
            if not (places[-1][0] == "" or parent.startswith(places[-1][0] + "/")):
                places.pop()
                continue
            raise CorruptError("the container described a file in a directory that is none")
        place = places[-1][1]
        is_directory = entry.kind == DIRECTORY
        if is_temporary(name) or place.tier(name, is_directory=is_directory) != "synced":
            left_out = path + "/"
            if is_temporary(name):
                left_over.append(path)
            continue
        if is_directory:
            places.append((path, place.child(name)))
        count += 1
        if count > max_entries:
            raise too_many(max_entries)
        yield entry


def capped(found: Iterator[bytes], max_entries: int) -> Iterator[bytes]:
    """Yield records, until there are too many."""
    # What the rules leave out is only known later; far more than that is too much.
    limit = 2 * max_entries + 100_000
    for number, record in enumerate(found):
        if number > limit:
            raise too_many(max_entries)
        yield record


def is_root(record: bytes) -> bool:
    """Tell whether a record is that of the mirror's own directory."""
    return record[-2:] == b" ." and record.split(b" ", 6)[-1] == b"."


def too_many(max_entries: int) -> TooLargeError:
    """Return the error for a container with more entries than a mirror may have."""
    return TooLargeError(
        f"the mirror has more than {max_entries} entries",
        hint="remove what is not needed there, exclude it, or raise `max_entries`",
    )

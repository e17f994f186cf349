"""The mirror inside a container, on any daemon: the target that needs no common directory.

Everything is done by programs of the container, as one of its own users, so that whatever
is planted there leads nowhere but into the container itself. What comes out is taken as
hostile: names, numbers and archives are checked before they are believed.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import Final, NamedTuple

from vshell.errors import ConflictError, CorruptError, TooLargeError, UnavailableError
from vshell.limits import MAX_FILE_BYTES, MAX_NAME_BYTES
from vshell.sync.container_loop import CLOCK, RECORD, ContainerLoop
from vshell.sync.docker_machine import CONTROL
from vshell.sync.rules import DirectoryTiers, Rules
from vshell.sync.tar_stream import END, TarReader, header, padding
from vshell.sync.target import (
    DIRECTORY,
    FILE,
    OTHER,
    SYMLINK,
    TEMPORARY_PREFIX,
    TEMPORARY_SUFFIX,
    Content,
    Entry,
    Fetched,
    Operation,
    Outcome,
    Root,
    is_temporary,
    tree_key,
)

_MARK: Final = f"{CONTROL}/root"
"""Not in the mirror, where `git add` would take it; it goes when the mirror goes."""

CHANGED: Final = "it changed meanwhile"

_KINDS: Final = {b"f": FILE, b"d": DIRECTORY, b"l": SYMLINK}
_UUID: Final = re.compile(rb"[0-9a-zA-Z-]{1,64}")
_MODE: Final = re.compile(rb"[0-7]{1,4}")
_NUMBER: Final = re.compile(rb"\d{1,18}")
_TIME: Final = re.compile(rb"(-?\d{1,11})(?:\.(\d{1,10}))?")
_RACY_NS: Final = 20_000_000
"""Two clock ticks of a slow kernel: a file that changes again in one keeps its times."""

_CLOSED: Final = b"!"
_CLOSED_RECORD: Final = RECORD.replace("%y", _CLOSED.decode())
"""For a directory that the container's user cannot look into."""

_LOOKED: Final = (0, 1, 123)
"""What `find` and `xargs` end with when some of what they were asked for is not there."""

_ATTEMPTS: Final = 3

_TICK_S: Final = 0.01

_BATCH: Final = 500
_LISTED: Final = 100
"""How many entries of a scan come together."""

_BATCH_BYTES: Final = 4 * 1024**2
_MAX_RECORD_BYTES: Final = 8192


class ContainerTarget:
    """See `target.Target` for what the methods promise.

    Args:
        loop: A shell in the container.
        generation: See `target.Root`.
        max_file_bytes: Larger files are reported and not read.
    """

    kind = "container"

    def __init__(
        self, loop: ContainerLoop, *, generation: str, max_file_bytes: int = MAX_FILE_BYTES
    ) -> None:
        self._loop = loop
        self._generation = generation
        self._max_file_bytes = max_file_bytes
        self._is_tidy = False
        self._stage_name = ""

    def close(self) -> None:
        self._loop.close()

    @contextmanager
    def lock(
        self,
        timeout_s: float,
        *,
        create: bool = False,  # noqa: ARG002 - the root is always there
    ) -> Iterator[None]:
        # The lock is the shell's, and goes when its connection does.
        question = f'exec 9>"$control/lock"; flock -w {max(0, timeout_s):.0f} 9'
        try:
            code, _ = self._loop.ask(question)
        except UnavailableError:  # somebody in the container ended the shell: start another one
            code, _ = self._loop.ask(question)
        if code:
            raise ConflictError(
                "another synchronisation of this container is running",
                hint="try again when it has ended",
            )
        try:
            yield
        finally:
            with suppress(UnavailableError):
                self._loop.ask("exec 9>&-")

    def identify(self) -> Root:
        code, said = self._loop.ask(f'read -r mark <{_MARK} && printf %s "$mark"')
        known = said.decode() if code == 0 and _UUID.fullmatch(said) else None
        return Root(known, self._generation)

    def mark(self, uuid: str) -> None:
        if not _UUID.fullmatch(uuid.encode()):
            raise ValueError(f"not an identifier: {uuid!r}")
        code, _ = self._loop.ask(f"rm -f {_MARK} && echo {uuid} >{_MARK}")
        if code:
            raise UnavailableError("the mirror in the container cannot be marked")

    # Looking.

    def scan(self, rules: Rules, *, max_entries: int) -> Iterator[list[Entry]]:
        pruned = [f"-name {name}" for name in _plain_names(rules)]
        skip = f"-type d \\( {' -o '.join(pruned)} \\) -prune -o" if pruned else ""
        closed = r"-type d \( ! -readable -o ! -executable \)"
        question = (
            f"tick; find {CLOCK} . -xdev -ignore_readdir_race {skip}"
            f" {closed} -printf '{_CLOSED_RECORD}' -prune -o -printf '{RECORD}' 2>/dev/null"
        )
        for _ in range(_ATTEMPTS):
            records, is_complete = self._listed(question, max_entries)
            if is_complete:
                break
        else:
            # What is not listed would be taken for removed.
            raise UnavailableError(
                "the container cannot list its files to the end",
                hint="see whether it has memory left",
            )
        now_ns = _clock(records[0] if records else b"")
        entries = [_entry(record, now_ns) for record in records[1:] if not record.endswith(b" .")]
        records.clear()
        entries.sort(key=lambda entry: tree_key(entry.path))
        yield from _batches(_belonging(entries, rules, max_entries), _LISTED)

    def _listed(self, question: str, max_entries: int) -> tuple[list[bytes], bool]:
        """Return the records of an answer, and whether the program that made them was content."""
        answer = _Answer(self._loop.stream(question))
        found = []
        for record in _records(answer):
            found.append(record)
            # What the rules leave out is only known later; far more than that is too much.
            if len(found) > 2 * max_entries + 100_000:
                raise _too_many(max_entries)
        return found, answer.code == 0

    def _looked_at(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is at these paths now, without what is not there."""
        data = _look_list(paths)
        answer = self._loop.ask(f"take {len(data)} look; tick; stats $control/look", [data])
        return _seen(*answer)

    # Reading.

    def fetch(
        self, entries: Iterable[Entry], store: Callable[[Iterable[bytes]], Content]
    ) -> Iterator[Fetched[Content]]:
        for batch in _batches(entries):
            yield from self._fetch(batch, store, again=True)

    def _fetch(
        self, batch: list[Entry], store: Callable[[Iterable[bytes]], Content], *, again: bool
    ) -> Iterator[Fetched[Content]]:
        wanted = [entry for entry in batch if entry.size <= self._max_file_bytes]
        contents = self._contents(wanted, store) if wanted else {}
        now = self._looked_at(entry.path for entry in batch)
        for entry in batch:
            present, found = now.get(entry.path), contents.get(entry.path)
            before = found[0] if found else None
            if present is None:
                _discard(found)
                yield Fetched(None, None)
            elif present.kind not in (FILE, SYMLINK):
                _discard(found)
                yield Fetched(present, None, "it became something else meanwhile")
            elif present.size > self._max_file_bytes:
                _discard(found)
                yield Fetched(present, None, "too large")
            elif found and before is not None and before.key == present.key:
                yield Fetched(present, found[1])
            elif again:
                _discard(found)
                yield from self._fetch([present], store, again=False)
            elif found is None:
                yield Fetched(present, None, "it cannot be read")
            else:
                _discard(found)
                yield Fetched(present, None, "it changes while it is read")

    def _contents(
        self, batch: list[Entry], store: Callable[[Iterable[bytes]], Content]
    ) -> dict[str, tuple[Entry | None, Content]]:
        """Return what files and links hold, and what they were right before that was read."""
        before = self._looked_at(entry.path for entry in batch)
        asked = {f"./{entry.path}".encode("utf-8", "surrogateescape"): entry for entry in batch}
        data = b"".join(name + b"\0" for name in asked)
        pieces = self._loop.stream(
            f"take {len(data)} list; tar -cf - --format=gnu --null --verbatim-files-from"
            " --no-recursion --hard-dereference --no-unquote -T $control/list 2>/dev/null",
            [data],
        )
        reader = TarReader(pieces)
        found: dict[str, tuple[Entry | None, Content]] = {}
        while (member := reader.next()) is not None:
            entry = asked.pop(member.name, None)
            if entry is None:
                continue
            if member.is_symlink:
                found[entry.path] = before.get(entry.path), store((member.target,))
            elif member.is_file and member.size <= self._max_file_bytes:
                found[entry.path] = before.get(entry.path), store(reader.content())
        reader.drain()
        return found

    # Changing.

    def apply(self, operations: Iterable[Operation]) -> Iterator[Outcome]:
        self._loop.ask("find . -mindepth 1 -xdev -name '.vshell-*.tmp' -prune -exec rm -rf -- {} +")
        run: list[Prepared] = []
        size = 0
        for operation in operations:
            is_large = operation.size > _BATCH_BYTES
            if run and (
                is_large
                or len(run) >= _BATCH
                or size >= _BATCH_BYTES
                or _step(run[0].operation) != _step(operation)
            ):
                yield from self._run(run)
                run, size = [], 0
            if is_large:  # its content is sent as it comes
                yield from self._run([Prepared(operation, operation.pieces)])
                continue
            run.append(Prepared(operation, (b"".join(operation.pieces),)))
            size += operation.size
        if run:
            yield from self._run(run)
        # What changes in a later tick of the container's clock changes a key.
        time.sleep(_TICK_S)

    def _run(self, run: list[Prepared]) -> Iterator[Outcome]:
        paths = [prepared.operation.path for prepared in run]
        is_making = _step(run[0].operation) == "make"
        before = self._stage(run) if is_making else self._looked_at(paths)
        if is_making and len(run) > 1 and not self._is_staged():
            # One of them is not possible here, or all are too much: the others need not fail.
            middle = len(run) // 2
            yield from self._run(run[:middle])
            yield from self._run(run[middle:])
            return
        refused = {one.path for one, _ in run if not _is_as_seen(one, before)}
        allowed = [one for one, _ in run if one.path not in refused]
        if is_making:
            after = self._publish(allowed, refused)
        elif not allowed:
            after = before
        elif run[0].operation.action == "remove":
            after = self._remove(allowed, before)
        else:
            after = self._set_attributes(allowed)
        for operation, _ in run:
            path = operation.path
            if path in refused:
                yield Outcome(path, before.get(path), CHANGED)
            else:
                present = after.get(path)
                yield _outcome(operation, present and present._replace(racy=False))

    def _remove_left_over(self) -> None:
        """Remove what a synchronisation that was killed has left; each connection does so once."""
        if not self._is_tidy:
            self._loop.ask(
                "find . -mindepth 1 -xdev -name '.vshell-*.tmp' -prune -exec rm -rf -- {} +"
            )
            self._is_tidy = True

    def _remove(self, operations: list[Operation], before: dict[str, Entry]) -> dict[str, Entry]:
        files = [one.path for one in operations if before[one.path].kind != DIRECTORY]
        directories = [one.path for one in operations if before[one.path].kind == DIRECTORY]
        for command, paths in (("rm -f --", files), ("rmdir --", directories)):
            if paths:
                self._each(paths, command)
        return self._looked_at(one.path for one in operations)

    def _set_attributes(self, operations: list[Operation]) -> dict[str, Entry]:
        for mode in {one.mode for one in operations}:
            # `chmod` follows links, which have no mode of their own.
            paths = [one.path for one in operations if one.mode == mode and not _is_link(one)]
            self._each(paths, f"chmod {_usable(mode):o} --")
        for time_ns in {one.mtime_ns for one in operations if _has_time(one)}:
            paths = [one.path for one in operations if _has_time(one) and one.mtime_ns == time_ns]
            seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
            self._each(paths, f"touch -c -h -m -d @{seconds}.{nanoseconds:09} --")
        return self._looked_at(one.path for one in operations)

    def _each(self, paths: list[str], command: str) -> None:
        if paths:
            data = _path_list(paths)
            self._loop.ask(
                f"take {len(data)} list; xargs -0 {command} <$control/list 2>/dev/null", [data]
            )

    def _stage(self, run: list[Prepared]) -> dict[str, Entry]:
        """Unpack files, links and directories apart; return what is where they are to go."""
        self._stage_name = f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"
        archive = [*_members(run), END]
        size = sum(
            len(part) if isinstance(part, bytes) else part.operation.size for part in archive
        )
        look = _look_list(one.path for one, _ in run)
        stage = self._stage_name
        answer = self._loop.ask(
            f"take {len(look)} look; mkdir -m 700 {stage}; head -c {size} |"
            f" (cd {stage} && tar -xpf - --no-same-owner --delay-directory-restore 2>/dev/null ||"
            f" {{ cat >/dev/null; false; }}) || rm -rf {stage};"
            " tick; stats $control/look",
            chain((look,), _sent(archive)),
        )
        return _seen(*answer)

    def _is_staged(self) -> bool:
        return self._loop.ask(f"test -d {self._stage_name}")[0] == 0

    def _publish(self, operations: list[Operation], refused: set[str]) -> dict[str, Entry]:
        """Give what was unpacked its place; return what is there then.

        It is done with hard links: each appears at once and complete, and takes the place of
        what is there. A directory that exists keeps its mode, as `cp` sets none without `-p`.
        """
        stage = self._stage_name
        if refused:
            self._each([f"{stage}/{path}" for path in refused], "rm -rf --")
        answer = self._loop.ask(
            f"cp -rPlfT {stage} . 2>/dev/null; rm -rf {stage}; tick; stats $control/look"
        )
        modes = [one for one in operations if one.action == "directory" and one.mode != 0o755]
        return _seen(*answer) | (self._set_attributes(modes) if modes else {})


class _Answer:
    """Yields an answer's pieces, and knows its exit code at the end."""

    def __init__(self, pieces: Generator[bytes, None, int]) -> None:
        self._pieces = pieces
        self.code: int | None = None

    def __iter__(self) -> Iterator[bytes]:
        self.code = yield from self._pieces


def _discard(found: tuple[Entry | None, object] | None) -> None:
    """Let go of content that nobody will have, which may be an open file."""
    close = getattr(found[1], "close", None) if found else None
    if close is not None:
        close()


class Prepared(NamedTuple):
    """An operation with its content."""

    operation: Operation
    pieces: Iterable[bytes]


def _step(operation: Operation) -> str:
    """Return what tells apart operations that cannot be done together."""
    return operation.action if operation.action in ("remove", "attributes") else "make"


def _sent(archive: list[bytes | Prepared]) -> Iterator[bytes]:
    for part in archive:
        if isinstance(part, bytes):
            yield part
        else:
            yield from part.pieces


def _members(run: list[Prepared]) -> Iterator[bytes | Prepared]:
    """Yield a tar's parts; a file's content stands for itself, as it may be large."""
    known: set[str] = set()
    for prepared in run:
        operation = prepared.operation
        parts = operation.path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if above not in known:
                known.add(above)
                yield header(_encoded(above) + b"/", b"5", mode=0o755, mtime_ns=0)
        name = _encoded(operation.path)
        if operation.action == "directory":
            if operation.path not in known:
                known.add(operation.path)
                yield header(name + b"/", b"5", mode=0o755, mtime_ns=0)
        elif operation.action == "symlink":
            target = b"".join(prepared.pieces)
            yield header(name, b"2", mode=0o777, mtime_ns=operation.mtime_ns, target=target)
        else:
            mode, time_ns = _usable(operation.mode), operation.mtime_ns
            yield header(name, b"0", mode=mode, mtime_ns=time_ns, size=operation.size)
            yield prepared
            yield padding(operation.size)


def _outcome(operation: Operation, present: Entry | None) -> Outcome:
    path, action = operation.path, operation.action
    if action == "remove":
        reason = "" if present is None else "it is not empty, or cannot be removed"
        return Outcome(path, None if present is None else present, reason)
    wanted = {"directory": DIRECTORY, "file": FILE, "symlink": SYMLINK}.get(action)
    if present is None:
        return Outcome(path, None, "the container does not take it")
    if wanted is not None and present.kind != wanted:
        return Outcome(path, present, "something else is in the way")
    if action == "file" and (present.size, present.mtime_ns) != (
        operation.size,
        max(0, operation.mtime_ns),
    ):
        return Outcome(path, present, "no space left, perhaps")
    return Outcome(path, present)


def _is_as_seen(operation: Operation, present: dict[str, Entry]) -> bool:
    seen, now = operation.seen, present.get(operation.path)
    if seen is None or now is None:
        return seen is None and now is None
    if seen.kind == DIRECTORY:
        return now.kind == DIRECTORY
    return seen.key == now.key


def _is_link(operation: Operation) -> bool:
    return operation.seen is not None and operation.seen.kind == SYMLINK


def _usable(mode: int) -> int:
    return stat.S_IMODE(mode) & 0o777


def _has_time(operation: Operation) -> bool:
    return operation.seen is not None and operation.seen.kind != DIRECTORY


# What a container says.


def _records(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
        if len(rest) > _MAX_RECORD_BYTES:
            raise CorruptError("the container sent a name that is too long")


def _seen(code: int, said: bytes) -> dict[str, Entry]:
    if code not in _LOOKED:  # what is not told of would be taken for gone
        raise UnavailableError(
            "the container cannot look at its files", hint="see whether it has memory left"
        )
    first, *records = said.split(b"\0")
    now_ns = _clock(first)
    entries = (_entry(record, now_ns) for record in records if record)
    return {entry.path: entry for entry in entries}


def _clock(record: bytes) -> int:
    fields = record.split(b" ", 6)
    if len(fields) != 7 or fields[6] != CLOCK.encode():
        raise CorruptError("the container does not tell the time")
    return _time_ns(fields[4])


def _entry(record: bytes, now_ns: int) -> Entry:
    fields = record.split(b" ", 6)
    if len(fields) != 7:
        raise CorruptError("the container described a file in a way that nobody does")
    letter, mode, size, mtime, ctime, inode, name = fields
    path = name.removeprefix(b"./").decode("utf-8", "surrogateescape")
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        raise CorruptError("the container described a file with an impossible name")
    if not (_MODE.fullmatch(mode) and _NUMBER.fullmatch(size) and _NUMBER.fullmatch(inode)):
        raise CorruptError("the container described a file in a way that nobody does")
    kind = _KINDS.get(letter, OTHER)
    bits = int(mode, 8) & 0o7777
    if kind == DIRECTORY:
        return Entry(path, kind, bits, 0, 0, 0, 0)
    changed_ns = _time_ns(ctime)
    reason = "" if kind != OTHER else "neither file, directory nor link"
    if letter == _CLOSED:
        reason = "it cannot be looked into"
    if any(len(part) > MAX_NAME_BYTES for part in name.split(b"/")):
        reason = "its name is too long"
    racy = max(changed_ns, _time_ns(mtime)) >= now_ns - _RACY_NS
    return Entry(path, kind, bits, int(size), _time_ns(mtime), changed_ns, int(inode), racy, reason)


def _time_ns(text: bytes) -> int:
    found = _TIME.fullmatch(text)
    if not found:
        raise CorruptError("the container told a time that is none")
    return int(found[1]) * 1_000_000_000 + int((found[2] or b"0")[:9].ljust(9, b"0"))


def _belonging(entries: list[Entry], rules: Rules, max_entries: int) -> Iterator[Entry]:
    """Yield those entries that the rules do not leave out, by themselves or from above."""
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
            continue
        if is_directory:
            places.append((path, place.child(name)))
        count += 1
        if count > max_entries:
            raise _too_many(max_entries)
        yield entry


def _plain_names(rules: Rules) -> list[str]:
    """Return directories that need not be looked into: names without a wildcard or a place."""
    plain = re.compile(r"[A-Za-z0-9._-]+/")
    found = [name for name in (*rules.ignore, *rules.cache) if plain.fullmatch(name)]
    has_exception = any(pattern.startswith("!") for pattern in (*rules.ignore, *rules.cache))
    return [] if has_exception else [name.removesuffix("/") for name in found]


def _batches(entries: Iterable[Entry], size: int = _BATCH) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, size)):
        yield batch


def _look_list(paths: Iterable[str]) -> bytes:
    return CLOCK.encode() + b"\0" + _path_list(paths)


def _path_list(paths: Iterable[str]) -> bytes:
    return b"".join(b"./" + _encoded(path) + b"\0" for path in paths)


def _encoded(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _too_many(max_entries: int) -> TooLargeError:
    return TooLargeError(
        f"the mirror has more than {max_entries} entries",
        hint="remove what is not needed there, exclude it, or raise `max_entries`",
    )

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
from vshell.limits import MAX_FILE_BYTES
from vshell.sync.container_listing import (
    CLOCK,
    clock_ns,
    entry_of,
    in_tree_order,
    records,
    told,
)
from vshell.sync.container_loop import ContainerLoop
from vshell.sync.docker_machine import CONTROL
from vshell.sync.rules import DirectoryTiers, Rules
from vshell.sync.tar_stream import END, TarReader, header, padding
from vshell.sync.target import (
    DIRECTORY,
    FILE,
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
)

_MARK: Final = f"{CONTROL}/root"
"""Not in the mirror, where `git add` would take it; it goes when the mirror goes."""

_TELL_MARK: Final = f'mark=; [ ! -f {_MARK} ] || read -r mark <{_MARK}; printf %s "$mark"'

CHANGED: Final = "it changed meanwhile"

_UUID: Final = re.compile(rb"[0-9a-zA-Z-]{1,64}")

_COMPLETE: Final = {"gnu": (0,), "plain": (0, 123)}
"""What a listing ends with that has everything; 123: some of it went away meanwhile."""

_LOOKED: Final = (0, 1, 123)
"""What `find` and `xargs` end with when some of what they were asked for is not there."""

_ATTEMPTS: Final = 3

_TICK_S: Final = 0.01

_BATCH: Final = 500
_LISTED: Final = 100
"""How many entries of a scan come together."""

_BATCH_BYTES: Final = 4 * 1024**2
_KEPT_BYTES: Final = 8 * 1024**2
"""A larger archive is unpacked while it arrives."""

_MAX_LISTING_BYTES: Final = 256 * 1024**2
_POLL_S: Final = 0.05
_NOT_STAGED: Final = 90


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
        self._left_over: list[str] = []
        self._said_mark: bytes | None = None
        self._stage_name = ""
        self._look = b""
        self._written_s = 0.0

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
        self._wait(timeout_s)
        try:
            yield
        finally:
            # What changes in a later tick of the container's clock changes a key.
            time.sleep(max(0.0, self._written_s + _TICK_S - time.monotonic()))
            self._said_mark = None
            with suppress(UnavailableError):
                self._loop.ask("free")

    def _wait(self, timeout_s: float) -> None:
        question = f"hold && {{ {_TELL_MARK}; }}"
        deadline_s = time.monotonic() + timeout_s
        try:
            code, said = self._loop.ask(question)
        except UnavailableError:  # somebody in the container ended the shell: start another one
            code, said = self._loop.ask(question)
        while code:
            if time.monotonic() >= deadline_s:
                raise ConflictError(
                    "another synchronisation of this container is running",
                    hint="try again when it has ended",
                )
            time.sleep(_POLL_S)
            code, said = self._loop.ask(question)
        self._said_mark = said

    def identify(self) -> Root:
        said = self._said_mark
        if said is None:
            _, said = self._loop.ask(_TELL_MARK)
        return Root(said.decode() if _UUID.fullmatch(said) else None, self._generation)

    def mark(self, uuid: str) -> None:
        if not _UUID.fullmatch(uuid.encode()):
            raise ValueError(f"not an identifier: {uuid!r}")
        self._said_mark = None
        code, _ = self._loop.ask(f"rm -f {_MARK} && echo {uuid} >{_MARK}")
        if code:
            raise UnavailableError("the mirror in the container cannot be marked")

    # Looking.

    def scan(self, rules: Rules, *, max_entries: int) -> Iterator[list[Entry]]:
        pruned = " -o ".join(f"-name {name}" for name in _plain_names(rules))
        question = "tick; list" + (f" -type d \\( {pruned} \\) -prune -o" if pruned else "")
        complete = _COMPLETE[self._loop.tools]
        self._left_over = []
        for _ in range(_ATTEMPTS):
            answer = _Answer(self._loop.stream(question))
            found = _capped(self._records(answer, max_entries), max_entries)
            clock = next(found, b"")
            ordered = in_tree_order(record for record in found if not _is_root(record))
            first = list(islice(ordered, 1))  # as it is sorted, all has been read now
            if answer.code in complete:
                break
        else:
            # What is not listed would be taken for removed.
            raise UnavailableError(
                "the container cannot list its files to the end",
                hint="see whether it has memory left",
            )
        now_ns = clock_ns(clock)
        entries = (entry_of(record, now_ns) for record in chain(first, ordered))
        yield from _batches(_belonging(entries, rules, max_entries, self._left_over), _LISTED)

    def _records(self, answer: Iterable[bytes], max_entries: int) -> Iterator[bytes]:
        """Yield what an answer to `list` says, the clock first."""
        if self._loop.tools == "gnu":
            yield from records(answer)
            return
        data = bytearray()
        for piece in answer:
            data += piece
            if len(data) > _MAX_LISTING_BYTES:
                raise _too_many(max_entries)
        names, _, lines = bytes(data).partition(b"\0\0")
        yield from told(names.split(b"\0"), lines)

    def _looked_at(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is at these paths now, without what is not there."""
        data = _look_list(paths)
        answer = self._loop.ask(f"take {len(data)} look; tick; stats $control/look", [data])
        return self._seen(data, *answer)

    def _seen(self, asked: bytes, code: int, said: bytes) -> dict[str, Entry]:
        """Return what an answer to `stats` says, which was asked about a list of paths."""
        if code not in _LOOKED:  # what is not told of would be taken for gone
            raise UnavailableError(
                "the container cannot look at its files", hint="see whether it has memory left"
            )
        is_plain = self._loop.tools == "plain"
        found = told(asked.split(b"\0")[:-1], said) if is_plain else records([said])
        now_ns = clock_ns(next(found, b""))
        entries = (entry_of(record, now_ns) for record in found)
        return {entry.path: entry for entry in entries}

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
        pieces = self._loop.stream(f"take {len(data)} list; contents $control/list", [data])
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
        self._each(self._left_over, "rm -rf --")
        self._left_over = []
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

    def _run(self, run: list[Prepared]) -> Iterator[Outcome]:
        paths = [prepared.operation.path for prepared in run]
        is_making = _step(run[0].operation) == "make"
        before, is_staged = self._stage(run) if is_making else (self._looked_at(paths), True)
        if not is_staged and len(run) > 1:
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
                yield _outcome(operation, present and present._replace(racy=_is_slow(present)))

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
            # Not every `touch` knows of fractions of seconds.
            fraction = f".{nanoseconds:09}" if self._loop.tools == "gnu" else ""
            self._each(paths, f"touch -c -h -m -d @{seconds}{fraction} --")
        return self._looked_at(one.path for one in operations)

    def _each(self, paths: list[str], command: str) -> None:
        if paths:
            data = _path_list(paths)
            self._loop.ask(
                f"take {len(data)} list; xargs -0 {command} <$control/list 2>/dev/null", [data]
            )

    def _stage(self, run: list[Prepared]) -> tuple[dict[str, Entry], bool]:
        """Unpack files, links and directories apart.

        Returns:
            What is where they are to go, and whether they could be unpacked.
        """
        self._stage_name = f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"
        archive = [*_members(run, _encoded(self._stage_name)), END]
        size = sum(
            len(part) if isinstance(part, bytes) else part.operation.size for part in archive
        )
        look = self._look = _look_list(one.path for one, _ in run)
        stage = self._stage_name
        unpack = (
            f"take {size} in; unpack <$control/in"
            if size <= _KEPT_BYTES
            else f"exact {size} | {{ unpack || {{ cat >/dev/null; false; }}; }}"
        )
        code, said = self._loop.ask(
            f"take {len(look)} look; {unpack} || rm -rf {stage}; tick; stats $control/look;"
            f" code=$?; [ -d {stage} ] || code=$((code + {_NOT_STAGED})); end $code",
            chain((look,), _sent(archive)),
        )
        is_staged = code < _NOT_STAGED or code - _NOT_STAGED not in _LOOKED
        return self._seen(look, code if is_staged else code - _NOT_STAGED, said), is_staged

    def _publish(self, operations: list[Operation], refused: set[str]) -> dict[str, Entry]:
        """Give what was unpacked its place; return what is there then.

        It is done with hard links: each appears at once and complete, and takes the place of
        what is there. A directory that exists keeps its mode, as `cp` sets none without `-p`.
        """
        stage = self._stage_name
        if refused:
            self._each([f"{stage}/{path}" for path in refused], "rm -rf --")
        answer = self._loop.ask(
            f"cp -rPlf {stage}/. . 2>/dev/null; rm -rf {stage}; tick; stats $control/look"
        )
        modes = [one for one in operations if one.action == "directory" and one.mode != 0o755]
        found = self._seen(self._look, *answer)
        return found | (self._set_attributes(modes) if modes else {})


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


def _members(run: list[Prepared], stage: bytes) -> Iterator[bytes | Prepared]:
    """Yield a tar's parts; a file's content stands for itself, as it may be large."""
    known: set[str] = set()
    yield header(stage + b"/", b"5", mode=0o700, mtime_ns=0)
    stage += b"/"
    for prepared in run:
        operation = prepared.operation
        parts = operation.path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if above not in known:
                known.add(above)
                yield header(stage + _encoded(above) + b"/", b"5", mode=0o755, mtime_ns=0)
        name = stage + _encoded(operation.path)
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
    if action == "file" and not (
        present.size == operation.size and _has_its_time(operation, present)
    ):
        return Outcome(path, present, "no space left, perhaps")
    return Outcome(path, present)


def _has_its_time(operation: Operation, present: Entry) -> bool:
    wanted_ns = max(0, operation.mtime_ns)
    # Not every `tar` knows of fractions of seconds.
    return present.mtime_ns in (wanted_ns, wanted_ns - wanted_ns % 1_000_000_000)


def _is_as_seen(operation: Operation, present: dict[str, Entry]) -> bool:
    seen, now = operation.seen, present.get(operation.path)
    if seen is None or now is None:
        return seen is None and now is None
    if seen.kind == DIRECTORY:
        return now.kind == DIRECTORY
    return seen.key == now.key


def _is_slow(present: Entry) -> bool:
    """Tell whether a later change might show the same time, for want of fractions."""
    return present.racy and not present.ctime_ns % 1_000_000_000


def _is_link(operation: Operation) -> bool:
    return operation.seen is not None and operation.seen.kind == SYMLINK


def _usable(mode: int) -> int:
    return stat.S_IMODE(mode) & 0o777


def _has_time(operation: Operation) -> bool:
    return operation.seen is not None and operation.seen.kind != DIRECTORY


# What a container says.


def _belonging(
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
            raise _too_many(max_entries)
        yield entry


def _capped(found: Iterator[bytes], max_entries: int) -> Iterator[bytes]:
    """Yield records, until there are too many."""
    # What the rules leave out is only known later; far more than that is too much.
    limit = 2 * max_entries + 100_000
    for number, record in enumerate(found):
        if number > limit:
            raise _too_many(max_entries)
        yield record


def _is_root(record: bytes) -> bool:
    return record[-2:] == b" ." and record.split(b" ", 6)[-1] == b"."


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

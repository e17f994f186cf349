"""Changing the mirror inside a container, by programs of the container.

What is new is unpacked apart, and takes its place in one step, if what is there is still what
was seen before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from vshell.sync.container_looking import Looking, encoded, is_answered, look_list, path_list
from vshell.sync.container_loop import ContainerLoop
from vshell.sync.tar_stream import END, header, padding
from vshell.sync.target import (
    DIRECTORY,
    FILE,
    SYMLINK,
    TEMPORARY_PREFIX,
    TEMPORARY_SUFFIX,
    Entry,
    Operation,
    Outcome,
)

__all__ = ["ContainerWriter"]

_CHANGED: Final = "it changed meanwhile"

_BATCH: Final = 500
_BATCH_BYTES: Final = 4 * 1024**2
_KEPT_BYTES: Final = 8 * 1024**2
"""A larger archive is unpacked while it arrives."""

_NOT_STAGED: Final = 90


class ContainerWriter:
    """Does operations in the mirror."""

    def __init__(self, loop: ContainerLoop, looking: Looking) -> None:
        self._loop = loop
        self._looking = looking
        self._stage_name = ""
        self._look = b""

    def discard(self, paths: list[str]) -> None:
        """Remove what a synchronisation left that was killed."""
        self._each(paths, "rm -rf --")

    def apply(self, operations: Iterable[Operation]) -> Iterator[Outcome]:
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
        before, is_staged = self._stage(run) if is_making else (self._looking.at(paths), True)
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
                yield Outcome(path, before.get(path), _CHANGED)
            else:
                present = after.get(path)
                yield _outcome(operation, present and present._replace(racy=_is_slow(present)))

    def _remove(self, operations: list[Operation], before: dict[str, Entry]) -> dict[str, Entry]:
        files = [one.path for one in operations if before[one.path].kind != DIRECTORY]
        directories = [one.path for one in operations if before[one.path].kind == DIRECTORY]
        for command, paths in (("rm -f --", files), ("rmdir --", directories)):
            if paths:
                self._each(paths, command)
        return self._looking.at(one.path for one in operations)

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
        return self._looking.at(one.path for one in operations)

    def _each(self, paths: list[str], command: str) -> None:
        if paths:
            data = path_list(paths)
            self._loop.ask(
                f"take {len(data)} list; xargs -0 {command} <$control/list 2>/dev/null", [data]
            )

    def _stage(self, run: list[Prepared]) -> tuple[dict[str, Entry], bool]:
        """Unpack files, links and directories apart.

        Returns:
            What is where they are to go, and whether they could be unpacked.
        """
        self._stage_name = f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"
        archive = [*_members(run, encoded(self._stage_name)), END]
        size = sum(
            len(part) if isinstance(part, bytes) else part.operation.size for part in archive
        )
        look = self._look = look_list(one.path for one, _ in run)
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
        is_staged = code < _NOT_STAGED or not is_answered(code - _NOT_STAGED)
        return self._looking.seen(look, code if is_staged else code - _NOT_STAGED, said), is_staged

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
        found = self._looking.seen(self._look, *answer)
        return found | (self._set_attributes(modes) if modes else {})


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
                yield header(stage + encoded(above) + b"/", b"5", mode=0o755, mtime_ns=0)
        name = stage + encoded(operation.path)
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

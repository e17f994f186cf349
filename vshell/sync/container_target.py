"""The mirror inside a container, on any daemon: the target that needs no common directory.

Everything is done by programs of the container, as one of its own users, so that whatever
is planted there leads nowhere but into the container itself. What comes out is taken as
hostile: names, numbers and archives are checked before they are believed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import Final

from vshell.errors import ConflictError, UnavailableError
from vshell.limits import MAX_FILE_BYTES
from vshell.sync.container_listing import (
    belonging,
    capped,
    clock_ns,
    entry_of,
    in_tree_order,
    is_root,
    records,
    told,
    too_many,
)
from vshell.sync.container_looking import Looking, encoded
from vshell.sync.container_loop import ContainerLoop
from vshell.sync.container_writing import ContainerWriter
from vshell.sync.docker_machine import CONTROL
from vshell.sync.rules import Rules
from vshell.sync.tar_stream import TarReader
from vshell.sync.target import (
    FILE,
    SYMLINK,
    Content,
    Entry,
    Fetched,
    Operation,
    Outcome,
    Root,
)

_MARK: Final = f"{CONTROL}/root"
"""Not in the mirror, where `git add` would take it; it goes when the mirror goes."""

_TELL_MARK: Final = f'mark=; [ ! -f {_MARK} ] || read -r mark <{_MARK}; printf %s "$mark"'

_UUID: Final = re.compile(rb"[0-9a-zA-Z-]{1,64}")

_COMPLETE: Final = {"gnu": (0,), "plain": (0, 123)}
"""What a listing ends with that has everything; 123: some of it went away meanwhile."""

_ATTEMPTS: Final = 3

_BATCH: Final = 500
_LISTED: Final = 100
"""How many entries of a scan come together."""

_MAX_LISTING_BYTES: Final = 256 * 1024**2
_POLL_S: Final = 0.05


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
        self._looking = Looking(loop)

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
            found = capped(self._records(answer, max_entries), max_entries)
            clock = next(found, b"")
            ordered = in_tree_order(record for record in found if not is_root(record))
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
        yield from _batches(belonging(entries, rules, max_entries, self._left_over), _LISTED)

    def _records(self, answer: Iterable[bytes], max_entries: int) -> Iterator[bytes]:
        """Yield what an answer to `list` says, the clock first."""
        if self._loop.tools == "gnu":
            yield from records(answer)
            return
        data = bytearray()
        for piece in answer:
            data += piece
            if len(data) > _MAX_LISTING_BYTES:
                raise too_many(max_entries)
        names, _, lines = bytes(data).partition(b"\0\0")
        yield from told(names.split(b"\0"), lines)

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
        now = self._looking.at(entry.path for entry in batch)
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
        before = self._looking.at(entry.path for entry in batch)
        asked = {b"./" + encoded(entry.path): entry for entry in batch}
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
        writer = ContainerWriter(self._loop, self._looking)
        writer.discard(self._left_over)
        self._left_over = []
        yield from writer.apply(operations)


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

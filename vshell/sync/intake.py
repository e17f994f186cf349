"""Bringing content of the mirror into the database, before anything refers to it.

Reading a mirror may take long, and a hostile one may take as long as it likes; so nothing
is read while the database is locked. Small content waits in memory and large content in a
temporary file until a batch is complete, and then goes into the store in one transaction,
pinned so that no collection takes it away before a file has it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final

from vshell.errors import TooLargeError
from vshell.fs.content import Stored, hash_pieces
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Peer, Peers, Version
from vshell.limits import CHUNK_BYTES, INLINE_BYTES
from vshell.sync.results import Progress, SyncLimits, SyncProgress
from vshell.sync.target import DIRECTORY, SYMLINK, Entry, Fetched, Target

__all__ = ["Found", "Intake"]

_BATCH_BYTES: Final = 8 * 1024**2
_BATCH_ENTRIES: Final = 2000
_LINK_BYTES: Final = 4096
_TOO_LARGE: Final = "it is too large"


class Found:
    """What the mirror has at some paths.

    Attributes:
        entries: What is there, as it was while its content was read.
        versions: Its content; the mode and time are those of the entry.
        gone: Where nothing is any more.
        skipped: What could not be read, with the reason.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.versions: dict[str, Version] = {}
        self.gone: list[str] = []
        self.skipped: dict[str, str] = {}

    def add(self, entry: Entry, stored: Stored) -> None:
        self.entries[entry.path] = entry
        self.versions[entry.path] = Version(
            entry.kind,
            0o777 if entry.kind == SYMLINK else entry.mode & 0o777,
            entry.mtime_ns,
            stored.id,
            b"" if entry.kind == DIRECTORY else stored.hash,
            stored.size,
        )


class Intake:
    """Reads entries of a mirror.

    Args:
        files: The workspace.
        target: The mirror.
        peer: What content is pinned for; None: only hash it, store nothing.
        limits: What is too large.
        progress: Is told how many entries were read.
    """

    def __init__(
        self,
        files: FileSystem,
        target: Target,
        peer: Peer | None,
        *,
        limits: SyncLimits,
        progress: Progress | None,
    ) -> None:
        self._files = files
        self._target = target
        self._peer = peer
        self._limits = limits
        self._progress = progress
        self._waiting: list[tuple[Entry, IO[bytes]]] = []
        self._spools: list[IO[bytes]] = []
        self._waiting_bytes = 0
        self._found = Found()

    def read(self, entries: Iterable[Entry]) -> Found:
        """Return what entries of a scan are.

        Raises:
            TooLargeError: They have more bytes together than the limit.
        """
        wanted = list(self._wanted(entries))
        fetched: Iterator[Fetched[object]]
        if self._peer is None:
            fetched = self._target.fetch(wanted, hash_pieces)
        else:
            fetched = self._target.fetch(wanted, self._spool)
        try:
            for number, result in enumerate(fetched, 1):
                self._take(wanted[number - 1], result)
                if self._progress is not None:
                    self._progress(SyncProgress("fetch", number, len(wanted)))
            self._flush()
        finally:
            self._close_spools()
        return self._found

    def _wanted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield what must be read; directories have no content."""
        total = 0
        for entry in entries:
            if entry.kind == DIRECTORY:
                self._found.add(entry, Stored(None, b"", 0))
                continue
            limit = _LINK_BYTES if entry.kind == SYMLINK else self._limits.max_file_bytes
            if entry.size > limit:
                self._found.skipped[entry.path] = _TOO_LARGE
                continue
            total += entry.size
            if total > self._limits.max_bytes:
                raise TooLargeError(
                    f"what changed in the mirror has more than {self._limits.max_bytes} bytes",
                    hint="exclude what need not be synchronised, or raise the limit",
                )
            yield entry

    def _take(self, wanted: Entry, result: Fetched[object]) -> None:
        entry = result.entry
        if entry is None:
            self._found.gone.append(wanted.path)
        elif result.reason:
            self._found.skipped[wanted.path] = result.reason
        elif isinstance(result.content, tuple):
            digest, size = result.content
            self._found.add(entry, Stored(None, digest, size))
        else:
            spool = result.content
            assert hasattr(spool, "read")
            self._waiting.append((entry, spool))  # type: ignore[arg-type]
            self._waiting_bytes += entry.size
            if self._waiting_bytes >= _BATCH_BYTES or len(self._waiting) >= _BATCH_ENTRIES:
                self._flush()

    def _spool(self, pieces: Iterable[bytes]) -> IO[bytes]:
        spool = tempfile.SpooledTemporaryFile(max_size=INLINE_BYTES)  # noqa: SIM115 - see below
        self._spools.append(spool)
        for piece in pieces:
            spool.write(piece)
        spool.seek(0)
        return spool

    def _flush(self) -> None:
        if not self._waiting or self._peer is None:
            return
        content = self._files.store.content
        stored = []
        with self._files.transaction():
            for entry, spool in self._waiting:
                stored.append((entry, content.put_stream(_pieces(spool.read))))
            pinned = [item.id for _, item in stored if item.id is not None]
            Peers(self._files).pin(self._peer, pinned)
        for entry, item in stored:
            self._found.add(entry, item)
        self._waiting, self._waiting_bytes = [], 0
        self._close_spools()

    def _close_spools(self) -> None:
        for spool in self._spools:  # also those of content that changed while it was read
            spool.close()
        self._spools = []


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while piece := read(CHUNK_BYTES):
        yield piece

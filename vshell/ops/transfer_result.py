"""What a transfer tells: its progress while it runs, its result in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from vshell.host import HostKind
from vshell.record import Record

SKIPPED_LISTED: Final = 1000
"""How many skipped entries a result names; all are counted."""


@dataclass(frozen=True, slots=True)
class Progress(Record):
    """How far a transfer is.

    Attributes:
        entries: How many files, directories and links are done.
        total: How many there are; None when that is not known.
        bytes: How many bytes of content are done.
    """

    entries: int
    total: int | None
    bytes: int


class Skipped(NamedTuple):
    """An entry that was not transferred: its path below the source, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class TransferResult(Record):
    """What a transfer did.

    Attributes:
        files: How many files are there now, each name of a file with several counted.
        directories: How many directories, without the one that was named.
        symlinks: How many symbolic links.
        bytes: How many bytes of content were transferred; files with several names once.
        skipped: What was not transferred and why, with all that is in it; at most 1,000
            entries.
        skipped_total: How many entries were skipped.
        ignored: How many entries were left out by `.gitignore` files, an ignored
            directory counted as one.
        removed: How many entries were removed because the source does not have them.
    """

    files: int
    directories: int
    symlinks: int
    bytes: int
    skipped: tuple[Skipped, ...]
    skipped_total: int
    ignored: int
    removed: int


class StoppedError(Exception):
    """Carries an `OSError` of the caller's own past those who would take it for the host's."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


class Tally:
    """Counts what is done while a transfer runs.

    Args:
        progress: Is told after each entry, and during large files.
        total: How many entries there are, if that is known.
    """

    def __init__(self, progress: Callable[[Progress], None] | None, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._counts: dict[HostKind, int] = {"file": 0, "directory": 0, "symlink": 0}
        self._entries = 0
        self._bytes = 0
        self._skipped: list[Skipped] = []
        self._skipped_total = 0
        self.ignored = 0
        self.removed = 0

    def add(self, kind: HostKind, size: int = 0) -> None:
        """Note that an entry is done."""
        self._counts[kind] += 1
        self._entries += 1
        self._bytes += size
        self.tell()

    def skip(self, path: str, reason: str) -> None:
        """Note that an entry is not transferred."""
        self._skipped_total += 1
        if len(self._skipped) < SKIPPED_LISTED:
            self._skipped.append(Skipped(path, reason))

    def tell(self, size: int = 0) -> None:
        """Tell the progress, with `size` bytes of a file that is not done yet."""
        if self._progress is None:
            return
        try:
            self._progress(Progress(self._entries, self._total, self._bytes + size))
        except OSError as error:
            raise StoppedError(error) from None

    def result(self) -> TransferResult:
        """Return what was counted."""
        return TransferResult(
            files=self._counts["file"],
            directories=self._counts["directory"],
            symlinks=self._counts["symlink"],
            bytes=self._bytes,
            skipped=tuple(self._skipped),
            skipped_total=self._skipped_total,
            ignored=self.ignored,
            removed=self.removed,
        )

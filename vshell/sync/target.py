"""What the mirror's engine asks of a place on the other side, be it a directory or a container.

Everything that is on the other side is hostile: names, links, kinds, sizes and times are
whatever somebody there made them, and change while they are looked at. So a target never
follows a link, never opens what is no regular file, and reports what it cannot handle
instead of raising: only a target that cannot work at all raises.

Paths are relative to the mirror's root and without a leading slash; bytes that are no
UTF-8 stand as lone surrogates. *Tree order* is the order of a walk: a directory comes
right before what is in it, and the names in one directory are sorted by their bytes
(`tree_key`).

One synchronisation calls, in this order: `lock` around everything, `identify` (and `mark`
when the root is new), `scan`, `fetch` and `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from vshell.fs.schema import DIRECTORY, FILE, SYMLINK

if TYPE_CHECKING:
    from vshell.sync.rules import Rules

__all__ = [
    "DIRECTORY",
    "FILE",
    "OTHER",
    "SYMLINK",
    "TEMPORARY_PREFIX",
    "TEMPORARY_SUFFIX",
    "Action",
    "Content",
    "Entry",
    "Fetched",
    "Operation",
    "Outcome",
    "Root",
    "Target",
    "is_temporary",
    "tree_key",
]

Content = TypeVar("Content")

OTHER: Final = 0
"""The kind of what is neither file, directory nor link, or cannot be looked at."""

TEMPORARY_PREFIX: Final = ".vshell-"
TEMPORARY_SUFFIX: Final = ".tmp"
"""What a target is writing has such a name; one that is left over after a crash is removed."""

Action = Literal["remove", "directory", "file", "symlink", "attributes"]


class Root(NamedTuple):
    """Which root this is.

    Attributes:
        uuid: What `mark` gave it; None when it has no mark, as a new or emptied one has not.
        generation: Changes when everything in it may have been lost, as with a container
            that was created anew; always the same for a directory.
    """

    uuid: str | None
    generation: str = ""


class Entry(NamedTuple):
    """One thing in the mirror, as `lstat` has it. The middle six fields are the stat key:
    as long as they are the same, the content is taken to be the same.

    Attributes:
        path: Where it is.
        kind: `FILE`, `DIRECTORY`, `SYMLINK` or `OTHER`.
        mode: The twelve permission bits.
        size: Bytes; 0 of a directory.
        mtime_ns: When its content changed; of a directory 0, as its times say nothing.
        ctime_ns: When anything in it changed; of a directory 0.
        inode: Its number; 0 of a directory, and where there are none.
        racy: It changed so recently that a further change might leave this key as it is.
        reason: Why it cannot be mirrored, in a few words; `""` when it can. Then nothing is
            known of what is below it.
    """

    path: str
    kind: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    racy: bool = False
    reason: str = ""

    @property
    def key(self) -> tuple[int, int, int, int, int, int]:
        """What is compared."""
        return self[1:7]


class Fetched(NamedTuple, Generic[Content]):
    """The content of one entry.

    Attributes:
        entry: As it was while its content was read, which may be later than the scan; None
            when it is gone.
        content: What `store` returned; None when there is no content.
        reason: Why there is none, in a few words; `""` when there is, or it is gone.
    """

    entry: Entry | None
    content: Content | None
    reason: str = ""


class Operation(NamedTuple):
    """One thing to do in the mirror.

    Attributes:
        path: To what.
        action: `"remove"`: a file, a link or an empty directory; `"directory"`: make one;
            `"file"` and `"symlink"`: make one, in the place of a file or link if `seen` is
            one; `"attributes"`: set mode and time of what is there.
        seen: What must still be there, by its key; None: nothing may be there. Where it is
            something else by now, nothing is done and the outcome says so.
        mode: The permission bits, of which only 0o777 are ever set; owners keep the rights
            that the target needs to look at it again.
        mtime_ns: When the content changed; not for directories.
        size: How many bytes `pieces` has together.
        pieces: The content, or the link's target, until the next operation is taken.
    """

    path: str
    action: Action
    seen: Entry | None
    mode: int = 0
    mtime_ns: int = 0
    size: int = 0
    pieces: Iterable[bytes] = ()


class Outcome(NamedTuple):
    """What became of an operation.

    Attributes:
        path: Its path.
        entry: What is there now, to be compared with the next scan; None for nothing. Of a
            failure, it means nothing.
        reason: Why it was not done, in a few words; `""` when it was.
    """

    path: str
    entry: Entry | None
    reason: str = ""


class Target(Protocol):
    """A place that can be mirrored to. One thread at a time uses it."""

    @property
    def kind(self) -> str:
        """`"directory"` or `"container"`."""
        ...

    def lock(self, timeout_s: float, *, create: bool = False) -> AbstractContextManager[None]:
        """Keep other synchronisations away from the root while the context is entered.

        Args:
            timeout_s: How long to wait for another one, in seconds.
            create: Make the root when it is missing, as for a mirror that is new.

        Raises:
            ConflictError: Another one is running, and does not end in time.
            NotFoundError: The root is not there.
            UnavailableError: The target cannot be reached.
        """
        ...

    def identify(self) -> Root:
        """Tell which root it is."""
        ...

    def mark(self, uuid: str) -> None:
        """Let the root be known by this identifier from now on."""
        ...

    def scan(self, rules: Rules, *, max_entries: int) -> Iterator[Sequence[Entry]]:
        """Yield what is below the root, in tree order, without following a link.

        It comes some dozens at a time, as they can be compared together. What the rules
        leave out is not looked into, nor yielded. Temporary files of a synchronisation that
        was killed are not yielded either; `apply` removes them.

        Args:
            rules: What belongs to the mirror.
            max_entries: How many entries there may be.

        Raises:
            TooLargeError: There are more.
        """
        ...

    def fetch(
        self, entries: Iterable[Entry], store: Callable[[Iterable[bytes]], Content]
    ) -> Iterator[Fetched[Content]]:
        """Read files, and the targets of links; yield one result for each entry, in order.

        Args:
            entries: Files and links that a scan found.
            store: Takes the content in pieces and keeps it. It is called again if the
                content turns out to have changed meanwhile. Its exceptions pass through.
        """
        ...

    def apply(self, operations: Iterable[Operation]) -> Iterator[Outcome]:
        """Do one operation after the other, and yield an outcome for each, in order.

        They come so that each can be done when the ones before it are: what is to go
        first, from the bottom up; then what is to be made, in tree order; attributes of
        directories last. Nobody ever sees half a file: what is written has a temporary
        name until it is complete. When all outcomes were taken, whatever changes from then
        on changes the key of the entries in the outcomes, unless they say `racy`.

        Raises:
            UnavailableError: The target cannot be reached any more.
        """
        ...

    def close(self) -> None:
        """Let go of everything; closing twice is harmless."""
        ...


def tree_key(path: str) -> bytes:
    """Return what sorts paths in tree order."""
    return path.encode("utf-8", "surrogateescape").replace(b"/", b"\0")


def is_temporary(name: str) -> bool:
    """Tell whether a name is one that a target gives to what it is writing."""
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)

"""What somebody looked at, and whether a change of somebody else's would have shown there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Self

from vshell.fs.records import Change

__all__ = ["ReadSet"]

_MAX_WALKS_AT: Final = 16
"""More different walks of one directory count as one of everything below it."""


class _Walk(NamedTuple):
    """A directory whose entries were listed: how deep, with which endings, and what of them."""

    depth: int | None
    suffixes: tuple[str, ...] | None
    details: bool


_EVERYTHING: Final = _Walk(None, None, True)


class ReadSet:
    """What was looked at.

    Attributes:
        names: The paths that were looked up, whether or not something was there, with
            those of all directories on the way.
    """

    __slots__ = ("_walks", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._walks: dict[str, set[_Walk]] = {}

    def add_walk(
        self,
        path: str,
        *,
        depth: int | None = None,
        suffixes: Sequence[str] | None = None,
        details: bool = False,
    ) -> None:
        """Note that what is below a directory was listed.

        Args:
            path: The directory.
            depth: How deep; 1 is its own entries, None is all.
            suffixes: If given, files with other endings were passed over.
            details: Whether more than the names was asked for.
        """
        walks = self._walks.setdefault(path, set())
        if len(walks) >= _MAX_WALKS_AT:
            walks.clear()
            walks.add(_EVERYTHING)
        if _EVERYTHING not in walks:
            walks.add(_Walk(depth, None if suffixes is None else tuple(suffixes), details))

    def first_shown(self, changes: Iterable[Change]) -> Change | None:
        """Return the first of the changes that would have shown; None if none would."""
        return next((change for change in changes if self._shows(change)), None)

    def _shows(self, change: Change) -> bool:
        paths = [change.path] if change.old_path is None else [change.path, change.old_path]
        return any(path in self.names for path in paths) or any(
            _reveals(walk, path, above, change)
            for path in paths
            for above, walks in self._walks_above(path)
            for walk in walks
        )

    def _walks_above(self, path: str) -> Iterator[tuple[str, set[_Walk]]]:
        """Yield the directories above a path that were walked."""
        above = path
        while above not in ("", "/"):
            above = above.rpartition("/")[0] or "/"
            if above in self._walks:
                yield above, self._walks[above]

    # As plain data, to be kept beside a run that waits to be approved.

    def as_data(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "names": sorted(self.names),
            "walks": [[path, *walk] for path, walks in self._walks.items() for walk in walks],
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Self:
        """Return what `as_data` was called on."""
        found = cls()
        found.names.update(data["names"])
        for path, depth, suffixes, details in data["walks"]:
            found.add_walk(path, depth=depth, suffixes=suffixes, details=details)
        return found


def _reveals(walk: _Walk, path: str, above: str, change: Change) -> bool:
    if not walk.details and change.action in ("write", "attributes"):
        return False
    if change.kind == "directory":
        return True  # what is in it came or went with it
    if walk.suffixes is not None and not path.endswith(walk.suffixes):
        return False
    below = path[len(above) :].strip("/")
    return walk.depth is None or below.count("/") < walk.depth

"""Which paths belong to the mirror: synced, kept on the mirror's side only, or left alone.

What is *cache* (`node_modules`, `.venv`, ...) lives in the mirror and never becomes rows of
the workspace; what is *excluded* is nobody's business. Both are the same for a
synchronisation: it neither looks at them nor touches them, on either side. A container
also keeps its caches from one job to the next.

Patterns are those of a `.gitignore` at the root of the workspace: see `vshell/ignore.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, Literal

from vshell.ignore import DirectoryRules, IgnoreRules
from vshell.sync.target import TEMPORARY_PREFIX, is_temporary

__all__ = ["DEFAULT_CACHE", "MARKER", "DirectoryTiers", "Rules", "Tier"]

Tier = Literal["synced", "cache", "excluded"]

DEFAULT_CACHE: Final = ("node_modules/", ".venv/", "target/")
"""What package managers and compilers can make again, and what has many files."""

MARKER: Final = ".vshell-mirror"
"""Where a root has no extended attributes, this file in it holds its identifier."""

_WILD: Final = frozenset("*?[\\!#/ ")


class Rules:
    """Decides to which tier a path belongs; not for use by several threads at once.

    Args:
        ignore: Patterns for what is excluded.
        cache: Patterns for what is cache, of which what is excluded is none.

    Raises:
        TooLargeError: The patterns are over the limits of `IgnoreRules`.
    """

    def __init__(self, *, ignore: Iterable[str] = (), cache: Iterable[str] = DEFAULT_CACHE) -> None:
        self.ignore = tuple(ignore)
        self.cache = tuple(cache)
        self._tiers: tuple[tuple[Tier, IgnoreRules | _Names], ...] = tuple(
            (tier, _Names(patterns) if _are_names(patterns) else IgnoreRules(patterns=patterns))
            for tier, patterns in _by_tier(self.ignore, self.cache)
        )
        self._top = DirectoryTiers(
            tuple(
                (tier, rules if isinstance(rules, _Names) else rules.at(""))
                for tier, rules in self._tiers
            ),
            is_root=True,
        )

    @property
    def digest(self) -> bytes:
        """What tells these rules from others."""
        return hashlib.sha256(repr((self.ignore, self.cache)).encode("utf-8", "replace")).digest()

    def tier(self, path: str, *, is_directory: bool) -> Tier:
        """Return the tier of a path, by itself or for a directory above it.

        Args:
            path: The path from the root, without a slash at the beginning.
            is_directory: Whether it is a directory, for patterns that end in a slash.
        """
        *directories, name = path.split("/")
        place = self._top
        names = place.some_names
        if (
            names is not None
            and name not in names
            and names.isdisjoint(directories)
            and TEMPORARY_PREFIX not in path
        ):
            return "synced"  # as nearly everything is
        for directory in directories:
            tier = place.tier(directory, is_directory=True)
            if tier != "synced":
                return tier
            place = place.child(directory)
        return place.tier(name, is_directory=is_directory)

    def top(self) -> DirectoryTiers:
        """Return the decisions for what is in the root."""
        return self._top


class DirectoryTiers:
    """Decides for the entries of one directory: what a walk takes along on its way down.

    Attributes:
        some_names: The only names that are perhaps not synced, besides those that begin with
            `.vshell-`; None when that takes more than names.
    """

    __slots__ = ("_is_root", "_places", "some_names")

    def __init__(
        self, places: tuple[tuple[Tier, DirectoryRules | _Names], ...], *, is_root: bool
    ) -> None:
        self._places = places
        self._is_root = is_root
        self.some_names = _some_names(places)

    def tier(self, name: str, *, is_directory: bool) -> Tier:
        """Return the tier of an entry.

        Args:
            name: Its name.
            is_directory: Whether it is a directory.
        """
        # What the mirror itself needs begins like this, on whichever side it is.
        if name[:8] == TEMPORARY_PREFIX and (
            is_temporary(name) or (self._is_root and name == MARKER)
        ):
            return "excluded"
        for tier, rules in self._places:
            if rules.ignores(name, is_directory=is_directory):
                return tier
        return "synced"

    def child(self, name: str) -> DirectoryTiers:
        """Return the decisions for what is in a directory of this one."""
        if self.some_names is not None and not self._is_root:
            return self  # names mean the same everywhere
        return DirectoryTiers(
            tuple(
                (tier, rules if isinstance(rules, _Names) else rules.child(name))
                for tier, rules in self._places
            ),
            is_root=False,
        )


class _Names:
    """Patterns that are names: the usual ones, and a look-up instead of a match."""

    __slots__ = ("_anything", "_directories", "all")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._directories = frozenset(pattern.removesuffix("/") for pattern in patterns)
        self._anything = frozenset(pattern for pattern in patterns if not pattern.endswith("/"))
        self.all = self._directories | self._anything

    def ignores(self, name: str, *, is_directory: bool) -> bool:
        return name in (self._directories if is_directory else self._anything)


def _some_names(
    places: tuple[tuple[Tier, DirectoryRules | _Names], ...],
) -> frozenset[str] | None:
    names: frozenset[str] = frozenset()
    for _, rules in places:
        if not isinstance(rules, _Names):
            return None
        names |= rules.all
    return names


def _are_names(patterns: Iterable[str]) -> bool:
    names = [pattern.removesuffix("/") for pattern in patterns]
    return all(name and name.isascii() and not _WILD & set(name) for name in names)


def _by_tier(
    ignore: tuple[str, ...], cache: tuple[str, ...]
) -> Iterable[tuple[Tier, tuple[str, ...]]]:
    if ignore:
        yield "excluded", ignore
    if cache:
        yield "cache", cache

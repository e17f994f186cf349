"""From the tree that a workspace has to the one that a merge wants, by as few changes as can be.

What stays the same thing is renamed and written to, not made anew: so later merges find
it again by its inode. Renames wait until their place is free; where they wait for each
other, one goes through a temporary name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import decode, encode, join
from vshell.fs.schema import DIRECTORY, FILE, ROOT, SYMLINK
from vshell.fs.transaction import Store
from vshell.ops.merge_sides import Entry, Side


class Wanted(NamedTuple):
    """What a thing is to be.

    Attributes:
        kind: What it is, which never changes.
        mode: Its permission bits.
        mtime_ns: When its content changed; None is now.
        hash: Identifies its content.
        content: The content's number in the fork, for when the workspace does not have it.
    """

    kind: int
    mode: int
    mtime_ns: int | None
    hash: bytes
    content: int | None


class _Move(NamedTuple):
    """Give a thing another name; `source` is None for a directory that is new."""

    number: int
    source: Entry | None
    target: Entry


class Applier:
    """Changes the files of a workspace; use it inside a transaction.

    Args:
        files: The files.
        fork: Where content comes from.
        side: The tree as it is.
        entries: The names as they are to be.
        wanted: What is new, or to be changed; all else stays.
    """

    def __init__(
        self,
        files: FileSystem,
        fork: Store,
        side: Side,
        entries: Mapping[Entry, int],
        wanted: Mapping[int, Wanted],
    ) -> None:
        self._files = files
        self._fork = fork
        self._side = side
        self._target = entries
        self._wanted = wanted
        self._target_names: dict[int, list[Entry]] = {ROOT: []}
        for entry, number in entries.items():
            self._target_names.setdefault(number, []).append(entry)
        # The tree as it is at the time, while it changes.
        self._entries = dict(side.entries)
        self._places = {
            number: entry for entry, number in side.entries.items() if side.is_directory(number)
        }
        self._filled = Counter(directory for directory, _ in side.entries)
        self._created: set[int] = set()

    def run(self) -> dict[int, int]:
        """Make the changes; return the inodes of what was made anew."""
        moves = self._moves()
        kept = {move.source for move in moves}
        leaving = {
            entry
            for entry, number in self._entries.items()
            if entry not in kept
            and (self._target.get(entry) != number or self._is_made_anew(number))
        }
        self._arrange(moves, self._remove(leaving))
        missing = {
            number for entry, number in self._target.items() if self._entries.get(entry) != number
        }
        for number in sorted(missing):
            self._make_names(number, self._target_names[number])
        for number, wanted in self._wanted.items():
            if number not in self._created:
                self._change(number, wanted)
        return {
            number: self._files.stat(self._path_of(number), follow=False).inode
            for number in self._created
        }

    # The tree as it is at the time.

    def _path(self, entry: Entry) -> str:
        names = [decode(entry[1])]
        while entry[0] != ROOT:
            entry = self._places[entry[0]]
            names.append(decode(entry[1]))
        return join("/", "/".join(reversed(names)))

    def _path_of(self, number: int) -> str:
        return "/" if number == ROOT else self._path(min(self._target_names[number]))

    def _put(self, entry: Entry, number: int, *, is_directory: bool) -> None:
        self._entries[entry] = number
        self._filled[entry[0]] += 1
        if is_directory:
            self._places[number] = entry

    def _take(self, entry: Entry) -> None:
        self._filled[entry[0]] -= 1
        self._places.pop(self._entries.pop(entry), None)

    # Removing.

    def _is_made_anew(self, number: int) -> bool:
        """Tell whether it is a link that gets another target, which no link can."""
        wanted, item = self._wanted.get(number), self._side.items[number]
        return wanted is not None and item.kind == SYMLINK and wanted.hash != item.hash

    def _remove(self, leaving: set[Entry]) -> list[Entry]:
        """Remove what leaves; return the directories that others have to leave before."""
        directories = [entry for entry in leaving if self._side.is_directory(self._entries[entry])]
        directories.sort(key=lambda entry: -self._path(entry).count("/"))
        whole = self._whole(directories, leaving)
        inside_whole = {entry for entry in leaving if entry[0] in whole}
        for entry in sorted(leaving - inside_whole):
            number = self._entries[entry]
            if number in whole:
                self._files.remove_tree(self._path(entry))
            elif number not in self._places:
                self._files.unlink(self._path(entry))
        for entry in leaving:
            if self._entries[entry] in whole or self._entries[entry] not in self._places:
                self._take(entry)
        return [entry for entry in directories if entry in self._entries]

    def _whole(self, directories: list[Entry], leaving: set[Entry]) -> set[int]:
        """Return the directories that leave with all that is in them; the deepest come first."""
        staying = Counter(entry[0] for entry in self._entries if entry not in leaving)
        whole: set[int] = set()
        for entry in directories:
            number = self._entries[entry]
            if staying[number]:
                staying[entry[0]] += 1
            else:
                whole.add(number)
        return whole

    # Moving, and making directories.

    def _moves(self) -> list[_Move]:
        """Pair the names that things lose with those that they get."""
        moves = []
        for number, names in self._side.names.items():
            targets = self._target_names.get(number, ())
            if targets and targets != names and not self._is_made_anew(number):
                lost, new = sorted({*names} - {*targets}), sorted({*targets} - {*names})
                moves += [_Move(number, *pair) for pair in zip(lost, new, strict=False)]
        return moves

    def _arrange(self, moves: list[_Move], emptied: list[Entry]) -> None:
        """Move things, make directories and remove empty ones, each when it can be done."""
        moves += [
            _Move(number, None, self._target_names[number][0])
            for number, wanted in sorted(self._wanted.items())
            if wanted.kind == DIRECTORY and number not in self._side.items
        ]
        while moves or emptied:
            left = [entry for entry in emptied if not self._remove_empty(entry)]
            waiting = [move for move in moves if not self._move(move)]
            if (len(left), len(waiting)) == (len(emptied), len(moves)):
                waiting = self._step_aside(waiting)
            emptied, moves = left, waiting

    def _remove_empty(self, entry: Entry) -> bool:
        if self._filled[self._entries[entry]]:
            return False
        self._files.rmdir(self._path(entry))
        self._take(entry)
        return True

    def _move(self, move: _Move) -> bool:
        if move.target in self._entries or not self._is_outside(move.target[0], move.number):
            return False
        path = self._path(move.target)
        if move.source is None:
            self._files.mkdir(path, mode=self._wanted[move.number].mode)
            self._created.add(move.number)
            self._put(move.target, move.number, is_directory=True)
        else:
            self._rename(move.number, move.source, move.target)
        return True

    def _rename(self, number: int, source: Entry, target: Entry) -> None:
        self._files.rename(self._path(source), self._path(target))
        self._take(source)
        self._put(target, number, is_directory=self._side.is_directory(number))

    def _is_outside(self, directory: int, number: int) -> bool:
        """Tell whether a directory is there by now, and not inside a thing."""
        while directory != ROOT:
            if directory == number or directory not in self._places:
                return False
            directory = self._places[directory][0]
        return True

    def _step_aside(self, moves: list[_Move]) -> list[_Move]:
        """Move one of the things that wait for each other out of the way."""
        taken = self._entries.keys() | self._target.keys()
        aside = next(
            entry
            for number in count()
            if (entry := (ROOT, encode(f".merge-{number}"))) not in taken
        )
        first = next(
            move
            for move in moves
            if move.source is not None and self._side.entries.get(move.source) == move.number
        )
        assert first.source is not None
        self._rename(first.number, first.source, aside)
        return [move._replace(source=aside) if move is first else move for move in moves]

    # Files and links.

    def _make_names(self, number: int, names: list[Entry]) -> None:
        there = [entry for entry in names if self._entries.get(entry) == number]
        missing = sorted(entry for entry in names if entry not in there)
        if missing and not there:
            there = [missing.pop(0)]
            self._create(self._path(there[0]), self._wanted[number])
            self._created.add(number)
        for entry in missing:
            self._files.link(self._path(there[0]), self._path(entry))
        for entry in names:
            self._entries[entry] = number

    def _create(self, path: str, wanted: Wanted) -> None:
        if wanted.kind == SYMLINK:
            target = self._fork.content.find(wanted.content)
            self._files.symlink(decode(self._fork.content.read(target)), path)
        else:
            self._write(path, wanted)
        if wanted.mtime_ns is not None:
            self._files.utime(path, wanted.mtime_ns, follow=False)

    def _change(self, number: int, wanted: Wanted) -> None:
        """Give a thing that was there already its content, mode and time."""
        item, path = self._side.items[number], self._path_of(number)
        if item.kind == FILE and wanted.hash != item.hash:
            self._write(path, wanted)
        elif wanted.mode != item.mode:
            self._files.chmod(path, wanted.mode, follow=False)
        if item.kind == DIRECTORY or wanted.mtime_ns is None:
            return
        if self._files.stat(path, follow=False).mtime_ns != wanted.mtime_ns:
            self._files.utime(path, wanted.mtime_ns, follow=False)

    def _write(self, path: str, wanted: Wanted) -> None:
        known = self._files.store.content.find_hash(wanted.hash)
        if known or wanted.content is None:
            self._files.put_content(path, known and known.id, mode=wanted.mode)
            return
        content = self._fork.content
        self._files.write(path, content.pieces(content.find(wanted.content)), mode=wanted.mode)

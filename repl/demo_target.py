"""What the demo works on: something to search for and to change, in any tree."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from vshell.ops.find import FoundEntry
from vshell.workspace import Workspace

_LEAST_BYTES: Final = 200
_MOST_BYTES: Final = 20_000
_LOOKED_AT: Final = 300


class Target(NamedTuple):
    """What the demo works on.

    Attributes:
        path: A text file: one of the tree, or the notes where it has none.
        word: A text in it that is on one line.
        pattern: A glob that it matches.
        directory: A directory that the tree does not have, for the demo's own files.
    """

    path: str
    word: str
    pattern: str
    directory: str

    @property
    def notes(self) -> str:
        return f"{self.directory}/NOTES.md"

    @property
    def copy(self) -> str:
        return f"{self.directory}/copy"


def find_target(database: str) -> Target:
    """Return what to work on in the workspace of a file."""
    with Workspace.open(database, create=False) as workspace:
        directory, number = "/vshell-demo", 2
        while workspace.exists(directory):
            directory, number = f"/vshell-demo-{number}", number + 1
        for path in _candidates(workspace):
            word = _word(workspace.read_bytes(path))
            # A change to a file with several names would be seen under each of them.
            if word is not None and workspace.stat(path).nlink == 1:
                return Target(path, word, _pattern(path), directory)
    return Target(f"{directory}/NOTES.md", "journal", "**/*.md", directory)


def _candidates(workspace: Workspace) -> list[str]:
    """Return files that may be text, the best ones first, but not too many."""
    found = workspace.find("/", kind="file", min_size=1, max_size=_MOST_BYTES, limit=100_000)
    entries = [entry for entry in found.entries if entry.path.isprintable()]
    entries.sort(key=_awkwardness)
    return [entry.path for entry in entries[:_LOOKED_AT]]


def _awkwardness(entry: FoundEntry) -> tuple[bool, bool, bool]:
    """Sort hidden, tiny and oddly named files behind those that people know."""
    return "/." in entry.path, entry.size < _LEAST_BYTES, "." not in entry.name


def _word(data: bytes) -> str | None:
    """Return a word to search for; None when these bytes are no text, or all white space."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return None
    word = re.search(r"[^\W\d_]{4,}", text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if word is None and not lines:
        return None
    return word[0] if word else lines[0][:40]


def _pattern(path: str) -> str:
    suffix = PurePosixPath(path).suffix
    return f"**/*{suffix}" if suffix[1:].isalnum() else "**/*"

"""Whether an exported tree is the imported one, but for what was changed on purpose."""

from __future__ import annotations

import filecmp
import os
import stat
from pathlib import Path
from typing import NamedTuple


class Comparison(NamedTuple):
    """What comparing two trees found.

    Attributes:
        same: How many entries are the same on both sides.
        missing: How many only the original has, a directory counted as one.
        differences: What else differs, a sentence each.
    """

    same: int
    missing: int
    differences: list[str]


def compare_trees(original: Path, exported: Path, *, added: str, changed: str) -> Comparison:
    """Compare names, kinds, modes, link targets and contents of two directories of the host.

    Args:
        original: The tree that was imported.
        exported: The tree that was exported.
        added: The name in `exported` that `original` must not have.
        changed: The path of the file whose content must differ; empty for none.
    """
    same, missing, differences = 0, 0, []
    pending = [""]
    while pending:
        directory = pending.pop()
        before, after = _entries(original / directory), _entries(exported / directory)
        missing += len(before.keys() - after.keys())
        for name, entry in after.items():
            path = os.path.join(directory, name)
            if path == added:
                continue
            found = _difference(before.get(name), entry)
            if found == ("content" if path == changed else ""):
                same += 1
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
            else:
                differences.append(f"{path}: {found or 'the change is missing'}")
    return Comparison(same, missing, sorted(differences))


def _entries(directory: Path) -> dict[str, os.DirEntry[str]]:
    with os.scandir(directory) as found:
        return {entry.name: entry for entry in found}


def _difference(before: os.DirEntry[str] | None, after: os.DirEntry[str]) -> str:
    """Return in what two entries differ; empty when they do not."""
    if before is None:
        return "only in the export"
    old, new = (entry.stat(follow_symlinks=False).st_mode for entry in (before, after))
    if stat.S_IFMT(old) != stat.S_IFMT(new):
        return "kind"
    if stat.S_ISLNK(new):
        return "" if os.readlink(before.path) == os.readlink(after.path) else "target"
    if (old ^ new) & 0o777:
        return "mode"
    if stat.S_ISREG(new) and not filecmp.cmp(before.path, after.path, shallow=False):
        return "content"
    return ""

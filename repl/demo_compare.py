"""Whether an exported tree is the imported one, but for what was changed on purpose."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_READ_BYTES: Final = 1 << 20


class Comparison(NamedTuple):
    """What comparing two trees found.

    Attributes:
        same: How many entries are the same on both sides.
        missing: What only the original has; of a directory, not what is in it.
        differences: What else differs, a sentence each.
    """

    same: int
    missing: list[str]
    differences: list[str]


def compare_trees(original: Path, exported: Path, *, added: str, changed: str) -> Comparison:
    """Compare kinds, modes, link targets and contents of two directories of the host.

    Args:
        original: The tree that was imported.
        exported: The tree that was exported.
        added: The directory that only the exported tree must have, below it.
        changed: The file whose content must differ; empty for none.
    """
    before = dict(_entries(original))
    after = {path: entry for path, entry in _entries(exported) if not _is_in(path, added)}
    missing = [path for path in before if path not in after]
    top = [path for path in missing if path.rpartition("/")[0] not in before or
           path.rpartition("/")[0] in after or "/" not in path]
    differences = [f"only exported: {path}" for path in after if path not in before]
    same = 0
    for path in after.keys() & before.keys():
        found = _difference(before[path], after[path])
        if path == changed and found == "content":
            continue
        if found is None and path != changed:
            same += 1
        else:
            differences.append(f"{path}: {found or 'the change is missing'}")
    return Comparison(same, top, sorted(differences))

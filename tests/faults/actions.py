"""Operations chosen by chance: from the same seed, on the same workspace, always the same.

Each is one operation, which commits once or not at all. One that cannot be done, because
a file is missing for example, is refused and changes nothing; it counts as well.
"""

from __future__ import annotations

import hashlib
import pickle
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.faults.kept import NOW_NS, keep_run, keep_shell_line
from tests.faults.scene import make_source
from tests.fs.workspaces import dump
from tests.script.inprocess import ThreadEngine
from vshell.errors import (
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RangeError,
    VshellError,
)
from vshell.fs.database import Durability
from vshell.workspace import Workspace

Action = Callable[[Workspace, random.Random], object]

_DIRECTORIES: Final = ("/a", "/a/b", "/c")
_PATHS: Final = tuple(
    f"{directory}/{name}" for directory in ("", *_DIRECTORIES) for name in ("one", "two", "three")
)
_SOURCE: Final = "source"
"""The directory beside the workspace that is imported."""

_SNAPSHOTS: Final = ("first", "second", "third")
_REFUSALS: Final = (
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NotDirectoryError,
    NotEmptyError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RangeError,
)


def _text(chance: random.Random) -> str:
    count = chance.choice((1, 3, 200, 2000))
    return "".join(f"line {number} is {chance.random()}\n" for number in range(count))


def _write(workspace: Workspace, chance: random.Random) -> None:
    workspace.write(chance.choice(_PATHS), _text(chance))


def _write_large(workspace: Workspace, chance: random.Random) -> None:
    workspace.write(chance.choice(_PATHS), chance.randbytes(chance.choice((262_145, 600_000))))


def _write_at(workspace: Workspace, chance: random.Random) -> None:
    with workspace.changing("write_at"):
        workspace.files.write_at(chance.choice(_PATHS), chance.randrange(400_000), b"patch")


def _append(workspace: Workspace, chance: random.Random) -> None:
    workspace.append(chance.choice(_PATHS), _text(chance))


def _truncate(workspace: Workspace, chance: random.Random) -> None:
    workspace.truncate(chance.choice(_PATHS), chance.choice((0, 10, 300_000)))


def _rename(workspace: Workspace, chance: random.Random) -> None:
    workspace.mv(chance.choice(_PATHS + _DIRECTORIES), chance.choice(_PATHS + _DIRECTORIES))


def _link(workspace: Workspace, chance: random.Random) -> None:
    workspace.link(chance.choice(_PATHS), f"/link-{chance.randrange(8)}")


def _symlink(workspace: Workspace, chance: random.Random) -> None:
    workspace.symlink(chance.choice(_PATHS), f"/symlink-{chance.randrange(8)}")


def _remove(workspace: Workspace, chance: random.Random) -> None:
    made = [f"/{name}-{number}" for name in ("link", "symlink", "copy") for number in range(8)]
    workspace.rm(chance.choice([*_PATHS, *_DIRECTORIES, *made]), recursive=True, force=True)


def _copy(workspace: Workspace, chance: random.Random) -> None:
    workspace.cp(chance.choice(_DIRECTORIES), f"/copy-{chance.randrange(8)}", recursive=True)


def _chmod(workspace: Workspace, chance: random.Random) -> None:
    workspace.chmod(chance.choice(_PATHS), chance.choice((0o600, 0o755)))


def _transaction(workspace: Workspace, chance: random.Random) -> None:
    with workspace.transaction():
        for _ in range(3):
            workspace.write(chance.choice(_PATHS), _text(chance))
        with suppress(VshellError), workspace.transaction():
            workspace.write("/undone", "gone")
            workspace.rm("/missing")
        workspace.mkdir(f"/made-{chance.randrange(4)}", exist_ok=True)


def _snapshot(workspace: Workspace, chance: random.Random) -> None:
    workspace.snapshot(chance.choice(_SNAPSHOTS))


def _forget(workspace: Workspace, chance: random.Random) -> None:
    workspace.delete_snapshot(chance.choice(_SNAPSHOTS))


def _restore(workspace: Workspace, chance: random.Random) -> None:
    workspace.restore(chance.choice(_SNAPSHOTS))


def _undo(workspace: Workspace, chance: random.Random) -> None:
    workspace.undo(chance.choice((1, 1, 2)))


def _redo(workspace: Workspace, chance: random.Random) -> None:
    workspace.redo()


def _collect(workspace: Workspace, chance: random.Random) -> None:
    workspace.gc(keep_revisions=chance.choice((None, 1, 10)))


def _vacuum(workspace: Workspace, chance: random.Random) -> None:
    workspace.vacuum()


def _index(workspace: Workspace, chance: random.Random) -> None:
    workspace.index()


def _script(workspace: Workspace, chance: random.Random) -> None:
    """Run a script that changes several files, which are applied in one step at its end."""
    one, other = chance.sample(_PATHS, 2)
    source = f"state.write_file({one!r}, {_text(chance)!r})\nstate.append_file({other!r}, 'more')"
    # Its own engine, which needs no help of the system: what is applied is what counts here.
    result = workspace.run(source, language="python", engine=ThreadEngine())
    if result.status == "error":  # a file is where a directory would have to be
        raise NotDirectoryError(str(result.error))
    assert result.status == "ok", result


def _shell_line(workspace: Workspace, chance: random.Random) -> None:
    """Keep what a shell keeps after a line: its state, its history, and what it wrote."""
    keep_shell_line(workspace, f"shell-{chance.randrange(3)}", chance.randbytes(3000))


def _kept_run(workspace: Workspace, chance: random.Random) -> None:
    """Keep what a run of a script keeps at one of its calls, or at its end."""
    keep_run(workspace, f"run-{chance.randrange(4)}", chance.choice(("running", "ok")))


def _import(workspace: Workspace, chance: random.Random) -> None:
    source = Path(workspace.files.store.database.path).with_name(_SOURCE)
    workspace.import_directory(source, f"/copy-{chance.randrange(8)}/imported")


WEIGHTS: Final[dict[Action, int]] = {
    _write: 20,
    _write_large: 3,
    _write_at: 3,
    _append: 8,
    _truncate: 4,
    _rename: 8,
    _link: 4,
    _symlink: 4,
    _remove: 5,
    _copy: 3,
    _chmod: 2,
    _import: 2,
    _transaction: 6,
    _snapshot: 4,
    _forget: 2,
    _restore: 4,
    _undo: 4,
    _collect: 4,
    _vacuum: 2,
    _index: 3,
    _script: 3,
    _shell_line: 3,
    _kept_run: 3,
}


def name_of(seed: int, number: int) -> str:
    """Return what the operation with that number is called."""
    return _chosen(random.Random(f"{seed}/{number}"), number).__name__.lstrip("_")


def _chosen(chance: random.Random, number: int) -> Action:
    # Only right after an undo is there anything to redo.
    if number % 16 in (14, 15):
        return _redo if number % 16 == 15 else _undo
    return chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def act(workspace: Workspace, seed: int, number: int) -> bool:
    """Perform the operation with that number; return whether the workspace did not refuse it."""
    chance = random.Random(f"{seed}/{number}")
    action = _chosen(chance, number)
    try:
        action(workspace, chance)
    except _REFUSALS:
        return False
    return True


def open_workspace(
    path: Path, *, durability: Durability = "process", checkpoint_pages: int = 200
) -> Workspace:
    """Open a workspace in which the time stands still, and which copies its log often."""
    if not path.with_name(_SOURCE).exists():
        make_source(path.with_name(_SOURCE))
    workspace = Workspace.open(path, durability=durability, now=lambda: NOW_NS)
    workspace.files.store.database._connection.wal_autocheckpoint(checkpoint_pages)
    return workspace


def fingerprint(path: Path) -> dict[str, str]:
    """Return what identifies the rows of each table that are committed."""
    return {
        table: hashlib.sha256(pickle.dumps(rows)).hexdigest() for table, rows in dump(path).items()
    }

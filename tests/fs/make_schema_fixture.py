"""Writes `fixtures/schema/vN.db`, a workspace of the current format N, and what it holds.

Run it once for each new format, before the release that has it, and keep the files
for ever: a test opens all of them with every later release.

    python -m tests.fs.make_schema_fixture
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vshell.fs import jobs, schema, shells
from vshell.fs.filesystem import FileSystem
from vshell.fs.peers import Peers
from vshell.fs.runs import CallRow, RunRow, RunStore
from vshell.fs.snapshots import create_snapshot, list_snapshots, undo

FIXTURES = Path(__file__).parents[2] / "fixtures" / "schema"

START_NS = 1_700_000_000_000_000_000
LARGE = b"".join(b"line %07d of a large file\n" % index for index in range(18_000))
SPARSE_BYTES = 600_000


def main() -> None:
    target = FIXTURES / f"v{schema.VERSION}.db"
    for old in (target, target.with_suffix(".json")):
        old.unlink(missing_ok=True)
    make(target)
    files = FileSystem(str(target), create=False)
    text = json.dumps(describe(files), indent=1, ensure_ascii=True)
    files.close()
    target.with_suffix(".json").write_text(text + "\n")


def make(path: Path) -> None:
    """Make a workspace with one of everything that a workspace can hold."""
    ticks = iter(range(START_NS, START_NS + 10**15, 10**9))
    files = FileSystem(str(path), now=lambda: next(ticks))
    with files.transaction("ada", "import"):
        files.mkdir("/source/package", mode=0o750, parents=True)
        files.write("/source/package/module.py", b"print('one')\n", mode=0o600)
        files.write("/source/empty", b"")
        files.write("/source/\u00e9\n\udcff", b"\x00\xff binary \r\n")
        files.write("/source/large", LARGE)
        files.mkdir("/source/hollow")
    with files.transaction("ada", "link"):
        files.link("/source/package/module.py", "/hard")
        files.symlink("source/package", "/relative")
        files.symlink("/source/large", "/absolute")
        files.symlink("nowhere", "/dangling")
    with files.transaction("ben", "edit"):
        files.write("/hard", b"print('two')\n")
        files.append("/source/large", b"the end\n")
        files.write_at("/sparse", SPARSE_BYTES - 3, b"end")
    with files.transaction("ben", "tidy"):
        files.mkdir("/old/deep", parents=True)
        files.write("/old/deep/file", b"gone soon")
        files.chmod("/source/empty", 0o4755)
        files.utime("/source/empty", 1_000_000_007)
    with files.transaction("", "rm"):
        files.remove_tree("/old")
        files.rename("/source/hollow", "/hollow")
        files.copy_tree("/source/package", "/hollow/copy")
    with files.transaction("", "quota"):
        files.set_quota(10_000_000)
    with files.transaction("ada", "snapshot"):
        create_snapshot(files.store, "first")
    with files.transaction("ada", "write"):
        files.write("/after", b"the snapshot")
    with files.transaction("ada", "undo"):
        undo(files, 1, session=None)
    _keep_what_others_keep(files)
    files.close()


def _keep_what_others_keep(files: FileSystem) -> None:
    """Store a shell session, a run of a script, a mirror and a job."""
    with files.transaction("ada", "shell"):
        shells.save(files, "ada", shells.SavedShell("/source", "engine", b"state", "{}"))
        shells.add_history(files, "ada", "/source", 3, "false || exit 3")
        runs = RunStore(files)
        row = ("durable", "paused", 1, "ada", "/", "python", "1 + 1", "{}", "{}", "monty", 7, 1, 2)
        runs.add(RunRow("run", *row))
        runs.save_calls("run", [CallRow(1, "readFile", b"digest", "[]", '"text"', 1)])
        Peers(files).add("directory", "mirror", "root", "generation")
    jobs.add(
        files,
        container="container",
        machine="machine",
        started_as="then",
        command=("true",),
        cwd="/",
        phase="pushing",
        owner="host:1:2",
    )
    with files.transaction("", "index"):
        files.build_index()


def describe(files: FileSystem) -> dict[str, Any]:
    """Return everything that a workspace tells of itself, ready for JSON."""
    return {
        "revision": files.revision(),
        "quota_bytes": files.setting("quota_bytes"),
        "snapshots": [snapshot.as_dict() for snapshot in list_snapshots(files.store)],
        "entries": [_entry(files, path) for path in ["/", *sorted(_paths(files))]],
        "changes": [change.as_dict() for change in files.changes()],
    }


def _paths(files: FileSystem) -> list[str]:
    return [entry.path for entry in files.walk("/")]


def _entry(files: FileSystem, path: str) -> dict[str, Any]:
    stat = files.stat(path, follow=False).as_dict()
    if stat["kind"] == "symlink":
        stat["target"] = files.readlink(path)
    return stat


if __name__ == "__main__":
    main()

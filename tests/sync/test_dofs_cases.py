"""The mirror does what Cloudflare's dofs was observed to do, where that loses nothing.

There a consumer of the workspace sees one entry for each changed path (`coalesce`), and the
entries that come from it are applied (`apply`). Here the first is what a push would do, and
the second is a directory in which somebody did what the entries say.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vshell import Workspace
from vshell.sync.results import SyncedPath

CASES = Path(__file__).parents[2] / "fixtures" / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CASES / f"dofs_sync_{name}.json").read_text())[
        "cases"
    ]
    return found


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        text, times = value["$repeat"]
        return str(text * times)
    return str(value)


def operate(ws: Workspace, operations: list[list[Any]]) -> None:
    for name, *arguments in operations:
        if name == "write":
            path, text, *options = arguments
            ws.write(path, text_of(text))
            for option in options:
                ws.chmod(path, option["mode"])
        elif name == "mkdir":
            ws.mkdir(arguments[0], parents=True)
        elif name == "rm":
            ws.rm(arguments[0], recursive=True)
        elif name == "rename":
            ws.mv(*arguments)
        elif name == "symlink":
            ws.symlink(*arguments)
        elif name == "link":
            ws.link(*arguments)
        else:
            raise AssertionError(f"unknown operation: {name}")


# Answered differently, with the reason.
COALESCED = {
    "coalesce-003": ([], "what came and went needs no tombstone: the base says what was there"),
    "coalesce-006": ([], "what came and went needs no tombstone"),
    "coalesce-007": (["/b"], "nothing was ever at the old name"),
}
KINDS = {"file": "file", "dir": "directory", "symlink": "symlink"}


@pytest.mark.parametrize("case", cases("coalesce"), ids=lambda case: str(case["id"]))
def test_each_changed_path_is_pushed_once(case: dict[str, Any], ws: Workspace, root: Path) -> None:
    operate(ws, case["before_cursor"])
    mirror = ws.mirror(root)
    mirror.sync()
    operate(ws, case["after_cursor"])
    pushed = mirror.sync(dry_run=True).pushed
    expected = {entry["path"]: entry for entry in case["expect"]}
    if case["id"] in COALESCED:
        expected = {path: expected[path] for path in COALESCED[case["id"]][0]}
    # The order is that of the tree, and not that of the changes: it has to be possible.
    assert sorted(change.path for change in pushed) == sorted(expected)
    for change in pushed:
        entry = expected[change.path]
        assert (change.action == "remove") == (entry["kind"] == "delete")
        if change.action != "remove":
            assert change.kind == KINDS[entry["kind"]]
    mirror.sync()
    for path, entry in expected.items():
        place = root / path[1:]
        if entry["kind"] == "delete":
            assert not os.path.lexists(place)
        elif entry["kind"] == "symlink":
            assert os.readlink(place) == entry["target"]
        else:
            assert place.stat().st_mode & 0o777 == entry["mode"]
            assert place.is_dir() or place.stat().st_size == entry["size"]


# Answered differently, with the reason.
APPLIED = {
    "apply-004": "no last writer wins: the workspace's copy stays, the other one is a conflict",
    "apply-006": "a mode that changes alone travels",
    "apply-015": "a directory is never written into through a link: the link is replaced",
    "apply-017": "a directory cannot have a file without content",
    "apply-018": "a directory cannot say another size than it has",
}


def happen(root: Path, entries: list[dict[str, Any]]) -> None:
    """Do in a directory what the entries say."""
    for entry in entries:
        place = root / entry["path"][1:]
        if entry["kind"] == "delete":
            if place.exists():
                place.unlink()
            continue
        for above in reversed(place.relative_to(root).parents):
            if (root / above).is_symlink() or (root / above).is_file():
                (root / above).unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry["kind"] == "dir":
            place.mkdir()
            place.chmod(entry["mode"])
        elif entry["kind"] == "symlink":
            place.symlink_to(entry["target"])
        else:
            place.write_text(entry["text"])
            place.chmod(entry["mode"])
            os.utime(place, ns=(entry["mtime"], entry["mtime"]))


@pytest.mark.parametrize(
    "case",
    [case for case in cases("apply") if case["id"] not in ("apply-017", "apply-018")],
    ids=lambda case: str(case["id"]),
)
def test_what_happens_in_the_mirror_is_applied(
    case: dict[str, Any], ws: Workspace, root: Path
) -> None:
    mirror = ws.mirror(root)
    if case["id"] != "apply-004":  # there both sides make the same file without knowing of it
        operate(ws, case["local_ops"])
    mirror.sync()
    operate(ws, case["local_ops"] if case["id"] == "apply-004" else [])
    happen(root, case["entries"])
    result = mirror.sync()
    assert not result.skipped
    if case["id"] == "apply-004":
        assert [conflict.path for conflict in result.conflicts] == ["/f"]
        assert ws.read_text("/f") == "local"
        return
    if case["id"] == "apply-006":
        assert result.pulled == (SyncedPath("/f", "attributes", "file"),)
        assert ws.stat("/f").mode == 0o755
        return
    if case["id"] == "apply-015":
        assert ws.read_text("/ln/f") == "x"
        assert not ws.exists("/real/f")
        return
    for path, state in case["state_after"].items():
        found = ws.lstat(path)
        assert found.kind == KINDS[state["type"]]
        assert found.kind == "symlink" or found.mode == state["mode"]
        if "text" in state:
            assert ws.read_text(path) == state["text"]


def test_a_pull_is_all_or_nothing_as_a_batch_of_entries_is(
    ws: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "d").mkdir(parents=True)
    (root / "ok").write_text("1")
    (root / "d" / "bad").write_text("2")
    mirror = ws.mirror(root)
    put = ws.files.put_content

    def refuse(path: str, content: int | None, *, mode: int) -> object:
        if path == "/ok":
            raise OSError("no")
        return put(path, content, mode=mode)

    monkeypatch.setattr(ws.files, "put_content", refuse)
    with pytest.raises(OSError, match="no"):
        mirror.sync()
    assert not ws.ls("/").entries
    monkeypatch.undo()
    assert mirror.sync().pulled_total == 3

"""A mirror's host process is killed; running again repairs, and nothing is lost or doubled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.sync_kills import Scene, Tree, count_points, die_at
from tests.processes import Child
from tests.sync.trees import directory_tree, workspace_tree
from vshell import Workspace

KILLS = 60


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "scene"


@pytest.fixture
def wanted(place: Path) -> tuple[Tree, int]:
    """The tree that an undisturbed synchronisation leads to, and how many points it has."""
    scene = Scene(place)
    points = count_points(scene)
    return scene.workspace(), points


def some_points(points: int, count: int) -> Iterator[int]:
    """Yield points from all phases: a random one in each of equal stretches."""
    chance = random.Random(4)
    for number in range(count):
        start, end = number * points // count, (number + 1) * points // count
        yield chance.randint(start + 1, max(start + 1, end))


@pytest.mark.slow
def test_a_kill_at_any_point_is_repaired_by_running_again(
    place: Path, wanted: tuple[Tree, int]
) -> None:
    tree, points = wanted
    assert points > KILLS
    for point in some_points(points, KILLS):
        scene = Scene(place)
        die_at(scene, point)
        # A pull is there as a whole or not at all, and what the workspace did is there.
        assert scene.workspace() in (scene.before, tree), f"half a pull, killed at {point}"
        for name, shown in directory_tree(scene.root).items():
            known = (tree.get(name), scene.before.get(name))
            assert (
                "/.vshell-" in name
                or shown[0] == "directory"
                or shown in known
                or (shown[1] in (b"theirs", b"by the mirror") or shown[1].endswith(b": base"))
            ), f"half a file in the mirror, killed at {point}: {name}"
        with Workspace.open(scene.database) as ws:
            mirror = ws.mirror(scene.root)
            assert not mirror.sync().skipped
            assert workspace_tree(ws) == directory_tree(scene.root) == tree, f"killed at {point}"
            assert [conflict.path for conflict in mirror.conflicts(resolved=True)] == ["/both"]
            assert not mirror.sync().changed
            assert ws.check().ok


@pytest.mark.slow
def test_a_workspace_that_goes_on_after_a_kill_meets_no_false_conflict(
    place: Path, wanted: tuple[Tree, int]
) -> None:
    for point in some_points(wanted[1], 15):
        scene = Scene(place)
        die_at(scene, point)
        with Workspace.open(scene.database) as ws:
            ws.write("/a", "later")
            ws.write("/new/deep/file", "later")
            ws.rm("/link")
            ws.chmod("/d/e", 0o700)
            mirror = ws.mirror(scene.root)
            result = mirror.sync()
            assert not result.skipped
            assert {conflict.path for conflict in mirror.conflicts(resolved=True)} == {"/both"}
            assert workspace_tree(ws) == directory_tree(scene.root), f"killed at {point}"
            assert ws.read_text("/a") == ws.read_text("/new/deep/file") == "later"
            assert not ws.exists("/link")
            assert ws.stat("/d/e").mode == 0o700


@pytest.mark.slow
def test_synchronisations_at_the_same_time_lose_nothing(place: Path) -> None:
    place.mkdir()
    database, root = place / "workspace.db", place / "mirror"
    with Workspace.open(database) as ws:
        ws.write("/start", "x")
        ws.mirror(root).sync()

    def work(worker: int) -> int:
        with Workspace.open(database) as ws:
            for number in range(6):
                ws.write(f"/{worker}/mine{number}", f"{worker} {number}")
                (root / f"{worker}").mkdir(exist_ok=True)
                (root / f"{worker}" / f"theirs{number}").write_text(f"{worker} {number}")
                ws.mirror(root).sync()
        return worker

    children = [Child(lambda worker=worker: work(worker)) for worker in range(4)]  # type: ignore[misc]
    assert [child.result() for child in children] == [0, 1, 2, 3]
    with Workspace.open(database) as ws:
        ws.mirror(root).sync()
        assert workspace_tree(ws) == directory_tree(root)
        assert not ws.mirror(root).conflicts(resolved=True)
        for worker in range(4):
            for number in range(6):
                for name in ("mine", "theirs"):
                    assert ws.read_text(f"/{worker}/{name}{number}") == f"{worker} {number}"

"""Whole trees go into a workspace, and come out as they were."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.ops.host_trees import differences, make_hostile, picture, set_times
from vshell.host import HostTree
from vshell.workspace import Workspace


def test_a_hostile_tree_comes_back_as_it_was(ws: Workspace, source: Path, target: Path) -> None:
    make_hostile(source)
    before = picture(source)
    imported = ws.import_directory(source)
    exported = ws.export_directory("/", target)
    assert imported.skipped == exported.skipped == ()
    assert differences(source, target) == ""
    assert picture(target) == before
    assert picture(source) == before
    assert (imported.files, imported.directories, imported.symlinks, imported.bytes) == (
        exported.files,
        exported.directories,
        exported.symlinks,
        exported.bytes,
    )


def test_a_tree_deeper_than_any_path_comes_back_as_it_was(
    ws: Workspace, source: Path, target: Path
) -> None:
    with HostTree.open(source) as tree:
        for _ in range(1000):
            tree.make_directory("directory")
            tree.enter("directory")
            tree.make_file("file", [b"content"], mode=0o644, mtime_ns=1)
    assert ws.import_directory(source).skipped == ()
    assert ws.export_directory("/", target).directories == 1000
    assert picture(target) == picture(source)


@pytest.mark.slow
def test_thousands_of_real_files_come_back_as_they_were(place: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    # What is installed beside the library is no part of it, and may be gigabytes.
    left_out = shutil.ignore_patterns("site-packages", "dist-packages", "test", "*.so", "*.a")
    shutil.copytree(library, place / "source", symlinks=True, ignore=left_out)
    set_times(place / "source")
    with Workspace.open(place / "agent.db") as workspace:
        imported = workspace.import_directory(place / "source")
        workspace.export_directory("/", place / "target")
        assert workspace.check().ok
    assert imported.skipped == ()
    assert imported.files + imported.directories > 1500
    assert differences(place / "source", place / "target") == ""
    assert picture(place / "source") == picture(place / "target")


@pytest.mark.slow
def test_four_thousand_files_come_back_as_they_were_and_again(place: Path) -> None:
    for number in range(4200):
        directory = place / "source" / f"d{number % 37}" / f"e{number % 5}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file {number}").write_bytes(b"%d\n" % number * (number % 900))
    set_times(place / "source")
    with Workspace.open(place / "agent.db") as workspace:
        assert workspace.import_directory(place / "source").files == 4200
        revision = workspace.files.revision()
        workspace.import_directory(place / "source")
        assert workspace.files.revision() == revision
        for _ in range(2):
            workspace.export_directory("/", place / "target")
            assert differences(place / "source", place / "target") == ""
            assert picture(place / "source") == picture(place / "target")
        assert workspace.check().ok

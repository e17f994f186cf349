"""Directories below a root: opened without following a link, in both ways to do so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell.sync import places as module
from vshell.sync.places import MAX_OPEN, Places, exchange, move_to_free_name


@pytest.fixture(params=["at once", "by names"])
def places(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Places]:
    if request.param == "by names":
        monkeypatch.setattr(module, "_has_openat2", lambda: False)
    elif not module._has_openat2():
        pytest.skip("this kernel has no openat2")
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "outside" / "b").mkdir(parents=True)
    root = os.open(tmp_path / "root", os.O_RDONLY)
    found = Places(root)
    yield found
    found.close()
    os.close(root)


def test_a_directory_is_opened_once(places: Places, tmp_path: Path) -> None:
    descriptor = places.descriptor("a/b")
    assert os.fstat(descriptor).st_ino == (tmp_path / "root/a/b").stat().st_ino
    assert places.descriptor("a/b") == descriptor


@pytest.mark.parametrize("path", ["link", "link/b", "a/up", "a/file", "a/none", "..", "a/.."])
def test_no_way_leads_out(places: Places, tmp_path: Path, path: str) -> None:
    (tmp_path / "root/link").symlink_to(tmp_path / "outside")
    (tmp_path / "root/a/up").symlink_to("../..")
    (tmp_path / "root/a/file").write_text("x")
    if path == "a/..":  # it leads to the root itself, but is no name
        path = "a/../../outside"
    reasons = "link|not a directory|no such file|cross-device|symbolic|invalid argument"
    with pytest.raises(OSError, match=f"(?i){reasons}"):
        places.descriptor(path)


def test_only_some_stay_open(places: Places, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(MAX_OPEN * 2):
        (tmp_path / f"root/{number}").mkdir()
        places.descriptor(f"{number}")
    assert len(os.listdir("/proc/self/fd")) - before <= MAX_OPEN


def test_what_may_be_another_one_is_forgotten(places: Places, tmp_path: Path) -> None:
    places.descriptor("a")
    places.descriptor("a/b")
    (tmp_path / "root/a").rename(tmp_path / "root/old")
    places.forget("a")
    with pytest.raises(FileNotFoundError):
        places.descriptor("a/b")


@pytest.mark.parametrize("has_call", [True, False])
def test_a_name_that_is_taken_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_call: bool
) -> None:
    if not has_call:
        monkeypatch.setattr(module, "_RENAMEAT2", {})
    (tmp_path / "new").write_text("new")
    (tmp_path / "taken").write_text("old")
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileExistsError):
            move_to_free_name("new", "taken", directory)
        move_to_free_name("new", "free", directory)
    finally:
        os.close(directory)
    assert (tmp_path / "taken").read_text() == "old"
    assert (tmp_path / "free").read_text() == "new"


def test_two_files_change_places(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        if not exchange("a", "b", directory):
            pytest.skip("this system cannot")
    finally:
        os.close(directory)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("b", "a")

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vshell.errors import BadPatternError, NotDirectoryError, NotFoundError, RangeError
from vshell.ops.find import FindResult
from vshell.workspace import Workspace

FILES = {
    "a.ts": "12345",
    "b.md": "",
    ".hidden/x": "1",
    "s/c.ts": "123",
    "s/t/d.ts": "1",
    "s/t/e[1].ts": "12",
}
DIRECTORIES = ["empty", "s/void"]
LINKS = {"link": "s", "s/dangling": "nowhere"}


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        with workspace.transaction():
            for path, text in FILES.items():
                workspace.write(f"/p/{path}", text)
            for path in DIRECTORIES:
                workspace.mkdir(f"/p/{path}")
            for path, target in LINKS.items():
                workspace.symlink(target, f"/p/{path}")
        yield workspace


@pytest.fixture
def real(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o644)
    for path in DIRECTORIES:
        (tmp_path / path).mkdir()
    for path, target in LINKS.items():
        (tmp_path / path).symlink_to(target)
    return tmp_path


def paths(result: FindResult) -> list[str]:
    return [entry.path for entry in result.entries]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, []),
        ({"name": "*.ts"}, ["-name", "*.ts"]),
        ({"name": "?.md"}, ["-name", "?.md"]),
        ({"name": "[!a-c]*"}, ["-name", "[!a-c]*"]),
        ({"name": "*hidden"}, ["-name", "*hidden"]),
        ({"name": "e\\[1\\].ts"}, ["-name", "e\\[1\\].ts"]),
        ({"name": ["*.md", "s"]}, ["(", "-name", "*.md", "-o", "-name", "s", ")"]),
        ({"kind": "file"}, ["-type", "f"]),
        ({"kind": "directory"}, ["-type", "d"]),
        ({"kind": "symlink"}, ["-type", "l"]),
        ({"kind": ["file", "symlink"]}, ["-type", "f,l"]),
        ({"kind": "file", "min_size": 2}, ["-type", "f", "-size", "+1c"]),
        ({"kind": "file", "max_size": 2}, ["-type", "f", "-size", "-3c"]),
        ({"min_depth": 1, "max_depth": 1}, ["-mindepth", "1", "-maxdepth", "1"]),
        ({"max_depth": 0}, ["-maxdepth", "0"]),
        ({"min_depth": 2}, ["-mindepth", "2"]),
        ({"empty": True}, ["-empty"]),
        ({"empty": False}, ["!", "-empty"]),
        ({"empty": True, "max_depth": 1}, ["-maxdepth", "1", "-empty"]),
        ({"empty": False, "max_depth": 1}, ["-maxdepth", "1", "!", "-empty"]),
        ({"kind": "file", "mode": 0o644}, ["-type", "f", "-perm", "0644"]),
    ],
)
def test_the_entries_are_those_that_find_finds(
    ws: Workspace, real: Path, options: dict[str, Any], arguments: list[str]
) -> None:
    find = shutil.which("find")
    if find is None or os.name != "posix":
        pytest.skip("find(1) is not installed")
    done = subprocess.run(
        [find, ".", *arguments], cwd=real, capture_output=True, text=True, check=True, timeout=30
    )
    expected = sorted("/p" + line.removeprefix(".") for line in done.stdout.splitlines())
    assert paths(ws.find("/p", **options)) == expected


def test_an_entry_says_all_that_a_listing_says_and_its_depth(ws: Workspace) -> None:
    ws.utime("/p/s/c.ts", mtime_ns=5)
    entry = ws.find("/p", name="c.ts").entries[0]
    assert entry.as_dict() == {
        "path": "/p/s/c.ts",
        "name": "c.ts",
        "kind": "file",
        "size": 3,
        "mode": 0o644,
        "mtime_ns": 5,
        "target": None,
        "depth": 2,
    }


def test_a_link_says_where_it_leads_even_when_nothing_is_there(ws: Workspace) -> None:
    found = ws.find("/p", kind="symlink").entries
    assert [(entry.name, entry.target) for entry in found] == [
        ("link", "s"),
        ("dangling", "nowhere"),
    ]


def test_the_start_is_found_at_depth_0(ws: Workspace) -> None:
    entry = ws.find("/p").entries[0]
    assert (entry.path, entry.name, entry.depth) == ("/p", "p", 0)


def test_the_whole_workspace_is_found_by_default(ws: Workspace) -> None:
    found = ws.find()
    assert paths(found)[:2] == ["/", "/p"]
    assert [entry.depth for entry in found.entries][:3] == [0, 1, 2]


def test_a_file_is_a_tree_of_one(ws: Workspace) -> None:
    assert paths(ws.find("/p/a.ts")) == ["/p/a.ts"]


def test_a_link_at_the_start_is_not_followed(ws: Workspace) -> None:
    assert paths(ws.find("/p/link")) == ["/p/link"]


def test_a_link_on_the_way_is_followed_and_stays_in_the_paths(ws: Workspace) -> None:
    assert paths(ws.find("/p/link/t")) == ["/p/link/t", "/p/link/t/d.ts", "/p/link/t/e[1].ts"]


def test_two_dots_are_resolved(ws: Workspace) -> None:
    assert paths(ws.find("/p/link/../a.ts")) == ["/p/a.ts"]


def test_a_path_pattern_starts_at_the_start(ws: Workspace) -> None:
    assert paths(ws.find("/p", path_pattern="s/*.ts")) == ["/p/s/c.ts"]
    assert paths(ws.find("/p", path_pattern="/p/**/d.ts")) == ["/p/s/t/d.ts"]


def test_newer_and_older_leave_out_the_time_itself(ws: Workspace) -> None:
    for number, path in enumerate(("a.ts", "b.md", "s/c.ts"), 1):
        ws.utime(f"/p/{path}", mtime_ns=number * 10)
    assert paths(ws.find("/p", kind="file", older_than=20)) == ["/p/a.ts"]
    assert paths(ws.find("/p", newer_than=10, older_than=30)) == ["/p/b.md"]


def test_a_time_can_be_that_of_a_file(ws: Workspace) -> None:
    for number, path in enumerate(("a.ts", "b.md", "s/c.ts"), 1):
        ws.utime(f"/p/{path}", mtime_ns=number * 10)
    session = ws.session("s", cwd="/p")
    assert paths(session.find("/p", older_than="b.md")) == ["/p/a.ts"]
    assert "/p/s/c.ts" in paths(session.find("/p", newer_than="b.md"))


def test_ignored_files_can_be_left_out(ws: Workspace) -> None:
    ws.write("/p/.gitignore", "t/\n*.md\n")
    ws.write("/p/.git/HEAD", "")
    assert paths(ws.find("/p", kind="file", ignore=True)) == [
        "/p/.gitignore",
        "/p/.hidden/x",
        "/p/a.ts",
        "/p/s/c.ts",
    ]


def test_pages_follow_each_other(ws: Workspace) -> None:
    whole = ws.find("/p")
    first = ws.find("/p", limit=4)
    assert (first.total, first.truncated, first.next_offset) == (whole.total, True, 4)
    rest = ws.find("/p", offset=4)
    assert first.entries + rest.entries == whole.entries
    assert rest.next_offset is None


def test_a_start_that_is_not_there_is_an_error(ws: Workspace) -> None:
    with pytest.raises(NotFoundError):
        ws.find("/nowhere")
    with pytest.raises(NotDirectoryError):
        ws.find("/p/a.ts/x")


@pytest.mark.parametrize(
    "options",
    [
        {"limit": 0},
        {"offset": -1},
        {"min_size": -1},
        {"max_size": -1},
        {"min_depth": -1},
        {"max_depth": -1},
        {"kind": "socket"},
        {"kind": ["file", "pipe"]},
    ],
)
def test_an_option_that_makes_no_sense_is_refused(ws: Workspace, options: dict[str, Any]) -> None:
    with pytest.raises(RangeError):
        ws.find("/p", **options)


@pytest.mark.parametrize("options", [{"name": "[z-a]"}, {"path_pattern": ""}])
def test_a_malformed_pattern_is_refused(ws: Workspace, options: dict[str, Any]) -> None:
    with pytest.raises(BadPatternError):
        ws.find("/p", **options)


def test_two_statements_are_enough_however_many_links_there_are(ws: Workspace) -> None:
    with ws.transaction():
        for number in range(50):
            ws.symlink(f"target{number}", f"/p/links/{number:02}")
    ws.stat("/p")
    with ws.files.store.database.count_statements() as statements:
        found = ws.find("/p", name="[0-9]*")
    assert [entry.target for entry in found.entries] == [f"target{number}" for number in range(50)]
    assert len(statements) <= 2


def test_a_tree_of_a_thousand_levels_is_searched(ws: Workspace) -> None:
    ws.mkdir("/deep" + "/d" * 999, parents=True)
    assert max(entry.depth for entry in ws.find("/deep").entries) == 999

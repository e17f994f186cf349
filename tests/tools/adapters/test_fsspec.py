"""fsspec's own suites on a workspace, and what is particular to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.tests.abstract import (
    AbstractCopyTests,
    AbstractFixtures,
    AbstractGetTests,
    AbstractOpenTests,
    AbstractPipeTests,
    AbstractPutTests,
)

from vshell import Workspace
from vshell.errors import RangeError, ReadOnlyError


class Fixtures(AbstractFixtures):  # type: ignore[misc]
    @pytest.fixture
    def fs(self) -> Iterator[Any]:
        with Workspace.memory() as workspace:
            yield fsspec.filesystem("vshell", workspace=workspace)

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def fs_path(self) -> str:
        return ""


class TestCopy(Fixtures, AbstractCopyTests):  # type: ignore[misc]
    """`cp`."""


class TestGet(Fixtures, AbstractGetTests):  # type: ignore[misc]
    """`get`."""


class TestPut(Fixtures, AbstractPutTests):  # type: ignore[misc]
    """`put`."""


class TestOpen(Fixtures, AbstractOpenTests):  # type: ignore[misc]
    """`open`."""


class TestPipe(Fixtures, AbstractPipeTests):  # type: ignore[misc]
    """`pipe`."""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture
def fs(workspace: Workspace) -> Any:
    return fsspec.filesystem("vshell", workspace=workspace.session("fsspec-test"))


def test_a_url_opens_a_file_of_a_workspace_on_the_host(tmp_path: Path) -> None:
    file = tmp_path / "w.db"
    with fsspec.open("vshell:///dir/a.txt", "w", workspace=file) as opened:
        opened.write("text\n")
    with fsspec.open("vshell:///dir/a.txt", "r", workspace=file) as opened:
        assert opened.read() == "text\n"
    with Workspace.open(file) as workspace:
        assert workspace.changes().changes[-1].session == "fsspec"


def test_a_file_is_there_when_it_is_closed_and_not_before(fs: Any, workspace: Workspace) -> None:
    opened = fs.open("/a", "wb", block_size=1 << 16)
    opened.write(b"x" * 200_000)
    assert not workspace.exists("/a")
    opened.close()
    assert workspace.stat("/a").size == 200_000


def test_appending_adds(fs: Any, workspace: Workspace) -> None:
    workspace.write("/a", "1")
    with fs.open("/a", "ab") as opened:
        opened.write(b"2")
    assert workspace.read_text("/a") == "12"


def test_parts_of_a_large_file_are_read_by_themselves(fs: Any, workspace: Workspace) -> None:
    data = bytes(range(256)) * 8192
    workspace.write("/large", data)
    with fs.open("/large", "rb", block_size=4096) as opened:
        opened.seek(1_000_000)
        assert opened.read(10) == data[1_000_000:1_000_010]
    assert fs.cat_file("/large", start=-10) == data[-10:]


def test_removing_many_is_all_or_nothing(fs: Any, workspace: Workspace) -> None:
    workspace.write("/a", "")
    workspace.write("/d/b", "")
    with pytest.raises(OSError, match="not empty"):
        fs.rm(["/a", "/d"])
    assert workspace.exists("/a")
    fs.rm(["/a", "/d"], recursive=True)
    assert fs.ls("/") == []


def test_changes_are_journalled_under_the_session(fs: Any, workspace: Workspace) -> None:
    fs.pipe({"/a": b"1"})
    fs.mv("/a", "/b")
    assert {change.session for change in workspace.changes().changes} == {"fsspec-test"}


def test_read_only_refuses_changes(workspace: Workspace) -> None:
    workspace.write("/a", "1")
    fs = fsspec.filesystem("vshell", workspace=workspace, read_only=True)
    assert fs.cat("/a") == b"1"
    with pytest.raises(ReadOnlyError):
        fs.pipe("/a", b"2")


def test_a_workspace_is_needed() -> None:
    with pytest.raises(RangeError, match="no workspace"):
        fsspec.filesystem("vshell")

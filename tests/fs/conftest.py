from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fs.workspaces import Clock
from vshell.fs.filesystem import FileSystem


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the database of the test is, or would be."""
    return tmp_path / "agent.db"


@pytest.fixture
def open_files(database: Path) -> Iterator[Callable[..., FileSystem]]:
    """Opens the test's database, again and again; what is left open is closed at the end."""
    opened: list[FileSystem] = []

    def open_again(**options: object) -> FileSystem:
        options.setdefault("now", Clock())
        files = FileSystem(str(database), **options)  # type: ignore[arg-type]
        opened.append(files)
        return files

    yield open_again
    for files in opened:
        files.close()


@pytest.fixture
def files(open_files: Callable[..., FileSystem]) -> FileSystem:
    """A new workspace's files."""
    return open_files()

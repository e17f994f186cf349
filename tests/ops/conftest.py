"""Workspaces, forks of them, and directories of the host."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.ops.host_trees import SHARED
from vshell.host import HostTree
from vshell.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    """A workspace that must be sound at the end of the test."""
    with Workspace.memory() as workspace:
        yield workspace
        assert workspace.check().problems == ()


@pytest.fixture
def other() -> Iterator[Workspace]:
    """A second one."""
    with Workspace.memory() as workspace:
        yield workspace
        assert workspace.check().problems == ()


@pytest.fixture
def forked(ws: Workspace, tmp_path: Path) -> Iterator[Callable[[], Workspace]]:
    """Return a function that makes a fork of `ws`."""
    numbers = count()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(ws.fork(tmp_path / f"fork{next(numbers)}.db"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose content is gone after the test, however deep and locked it is."""
    directory = Path(tempfile.mkdtemp(dir=SHARED))
    yield directory
    with HostTree.open(directory.parent) as above:
        above.remove(directory.name)


@pytest.fixture
def source(place: Path) -> Path:
    (place / "source").mkdir()
    return place / "source"


@pytest.fixture
def target(place: Path) -> Path:
    return place / "target"

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.backends import Backend, DirectoryBackend, WorkspaceBackend
from vshell.fs.filesystem import FileSystem
from vshell.fs.overlay import Overlay


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    """The modes that are asked for are those that a directory records."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def directory(tmp_path: Path) -> DirectoryBackend:
    if sys.platform != "linux":
        pytest.skip("error numbers are compared with Linux's")
    return DirectoryBackend(tmp_path / "directory")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceBackend]:
    files = FileSystem(str(tmp_path / "agent.db"))
    yield WorkspaceBackend(files)
    files.close()


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[WorkspaceBackend]:
    """The changes that a script makes, which nobody else sees yet."""
    FileSystem(str(tmp_path / "below.db")).close()
    files = Overlay(str(tmp_path / "below.db"))
    files.pin()
    yield WorkspaceBackend(files)
    files.close()


@pytest.fixture(params=["workspace", "overlay", "directory"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each of the stores: what a test claims must hold for all."""
    found: Backend = request.getfixturevalue(request.param)
    return found

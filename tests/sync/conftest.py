"""A workspace, and a directory or, for tests marked `docker`, a container beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync import daemon
from vshell import Workspace
from vshell.sync.container import Container

OpenContainer = Callable[..., Container]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
def workspace(ws: Workspace) -> Workspace:
    return ws


@pytest.fixture
def open_container(workspace: Workspace) -> Iterator[OpenContainer]:
    """Return what opens containers that are removed after the test."""
    opened: list[Container] = []

    def open_one(
        source: Workspace = workspace, image: str | None = None, **options: Any
    ) -> Container:
        container = source.container(image or daemon.image(), **options)
        opened.append(container)
        return container

    yield open_one
    for container in opened:
        container.remove()


@pytest.fixture(params=["bind", "stream"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def container(open_container: OpenContainer, transport: str) -> Container:
    return open_container(transport=transport)

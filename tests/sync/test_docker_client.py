"""Without the library or a daemon, the error says what to install."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vshell import Workspace
from vshell.errors import UnavailableError
from vshell.sync.docker_client import connect


def test_without_the_library_the_hint_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = builtins.__import__

    def refuse(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        if name == "docker":
            raise ImportError(name)
        return import_module(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with Workspace.memory() as workspace, pytest.raises(UnavailableError) as caught:
        workspace.container("image")
    assert caught.value.hint == "install it with `pip install 'vshell[container]'`"


@pytest.mark.parametrize("address", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_without_a_daemon_the_hint_names_what_to_install(address: str) -> None:
    with pytest.raises(UnavailableError, match="no daemon") as caught:
        connect(address)
    assert "apt install docker.io" in (caught.value.hint or "")


@pytest.mark.parametrize("address", ["ssh://host", "npipe:////./pipe/x", "nonsense"])
def test_an_address_of_another_kind_is_explained(address: str) -> None:
    with pytest.raises(UnavailableError, match="unix:// or tcp://") as caught:
        connect(address)
    assert "ssh -L" in (caught.value.hint or "")


def test_the_address_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with Workspace.memory() as workspace, pytest.raises(UnavailableError):
        workspace.container("image")

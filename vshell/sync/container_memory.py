"""What a workspace remembers of its containers: how each was made, and where its mirror is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from vshell.fs import jobs as rows
from vshell.fs.filesystem import FileSystem

__all__ = ["forget", "known_containers", "remember", "remembered"]

_SETTING: Final = "container:"


def known_containers(files: FileSystem) -> tuple[str, ...]:
    """Return the names of the workspace's containers."""
    return tuple(
        name.removeprefix(_SETTING) for name in rows.settings_named(files, prefix=_SETTING)
    )


def remembered(files: FileSystem, name: str) -> dict[str, Any]:
    """Return what `remember` was told of a container, empty when it never was."""
    told = files.setting(_SETTING + name)
    found: dict[str, Any] = json.loads(str(told)) if told else {}
    return found


def remember(files: FileSystem, name: str, facts: Mapping[str, object]) -> None:
    """Keep facts, which JSON can hold, about a container."""
    told = json.dumps(facts, sort_keys=True)
    if files.setting(_SETTING + name) != told:
        with files.transaction():
            files.set_setting(_SETTING + name, told)


def forget(files: FileSystem, name: str) -> None:
    """Forget a container."""
    with files.transaction():
        files.set_setting(_SETTING + name, None)

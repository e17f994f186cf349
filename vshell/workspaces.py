"""One workspace for each agent, in a directory of the host."""

from __future__ import annotations

import hashlib
import os
import string
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Final, Self

from vshell.errors import ExistsError, InvalidPathError, NotFoundError, RangeError
from vshell.fs.database import Durability
from vshell.fs.filesystem import FileSystem
from vshell.limits import LOCK_TIMEOUT_S
from vshell.ops import fork as fork_
from vshell.ops import read as read_
from vshell.workspace import Workspace

_SUFFIX: Final = ".db"
_PLAIN: Final = frozenset(string.ascii_lowercase + string.digits + "-_")
_LONGEST_NAME: Final = 200
_ID_SETTING: Final = "agent_id"


class Workspaces:
    """The workspaces of many agents: one database for each id, in one directory.

    Any text is a safe id: `..`, `/`, capitals and emoji end up in a file name that
    every file system takes and that no other id has.

    Args:
        directory: Where the databases are; made when it is missing.
        max_open: How many workspaces stay open when nobody uses them.
        durability: See `Workspace.open`.
        quota_bytes: For workspaces that are opened from now on; see `Workspace.open`.
        lock_timeout_s: See `Workspace.open`.
        now: See `Workspace.open`.

    Raises:
        RangeError: `max_open` is negative.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        max_open: int = 64,
        durability: Durability = "process",
        quota_bytes: int | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        if max_open < 0:
            raise RangeError(f"max_open must not be negative, as {max_open} is")
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._max_open = max_open
        self._durability: Durability = durability
        self._quota_bytes = quota_bytes
        self._lock_timeout_s = lock_timeout_s
        self._now = now
        self._lock = RLock()
        # What is used last stays open; what falls out of here stays open only as long
        # as somebody holds it, and is still found by its id until then.
        self._recent: OrderedDict[str, Workspace] = OrderedDict()
        self._alive: weakref.WeakValueDictionary[str, Workspace] = weakref.WeakValueDictionary()

    def open(self, agent_id: str, *, create: bool = True) -> Workspace:
        """Return the workspace of an agent; the same object as long as it is open.

        Args:
            agent_id: Any text.
            create: Make the workspace when the agent has none.

        Raises:
            NotFoundError: It has none and `create` is false.
            InvalidPathError: The id is text that stands for no bytes.
            CorruptError, NewerSchemaError: see `Workspace.open`.
        """
        with self._lock:
            workspace = self._alive.get(agent_id)
            if workspace is None or workspace.closed:
                workspace = self._open(agent_id, create=create)
                self._alive[agent_id] = workspace
            self._recent[agent_id] = workspace
            self._recent.move_to_end(agent_id)
            while len(self._recent) > self._max_open:
                self._recent.popitem(last=False)
            return workspace

    def ids(self) -> list[str]:
        """Return the ids of all agents that have a workspace, sorted."""
        return sorted(self)

    def __iter__(self) -> Iterator[str]:
        with os.scandir(self._directory) as found:
            names = [entry.name for entry in found if entry.name.endswith(_SUFFIX)]
        for name in names:
            stem = name.removesuffix(_SUFFIX)
            if stem.startswith("~"):
                yield self._stored_id(name)
            elif not stem.startswith("."):
                yield _decode(stem)

    def __contains__(self, agent_id: str) -> bool:
        return self._path(agent_id).exists()

    def delete(self, agent_id: str) -> None:
        """Close and remove the workspace of an agent, for good.

        Raises:
            NotFoundError: It has none.
        """
        with self._lock:
            self._recent.pop(agent_id, None)
            workspace = self._alive.pop(agent_id, None)
            if workspace is not None:
                workspace.close()
            path = self._path(agent_id)
            try:
                path.unlink()
            except FileNotFoundError:
                raise _no_workspace(agent_id) from None
            for suffix in ("-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)

    def fork(self, source: str, destination: str, *, at: read_.Moment | None = None) -> Workspace:
        """Copy the workspace of one agent to another that has none; return it.

        The two are independent from then on; `merge_into` on the copy brings its changes
        back.

        Args:
            source: The agent that has it.
            destination: The agent that gets it.
            at: The snapshot or revision to copy; None is now.

        Raises:
            NotFoundError: The source has no workspace, or there is no such moment.
            ExistsError: The destination has one.
        """
        with self._lock:
            target = self._path(destination)
            if target.exists():
                raise ExistsError(
                    f"the agent has a workspace already: {destination}", hint="delete it first"
                )
            fork_.fork_to(self.open(source, create=False), str(target), at=at)
            self._name(target, destination)
            return self.open(destination, create=False)

    def close(self) -> None:
        """Close every workspace that is open."""
        with self._lock:
            for workspace in list(self._alive.values()):
                workspace.close()
            self._recent.clear()
            self._alive.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, agent_id: str, *, create: bool) -> Workspace:
        path = self._path(agent_id)
        is_new = not path.exists()
        if is_new and not create:
            raise _no_workspace(agent_id)
        workspace = Workspace.open(
            path,
            durability=self._durability,
            quota_bytes=self._quota_bytes,
            lock_timeout_s=self._lock_timeout_s,
            now=self._now,
        )
        if is_new:
            self._name(path, agent_id, workspace.files)
        return workspace

    def _path(self, agent_id: str) -> Path:
        return self._directory / f"{_encode(agent_id)}{_SUFFIX}"

    def _name(self, path: Path, agent_id: str, files: FileSystem | None = None) -> None:
        """Write an id into the database, when the file's name cannot tell it."""
        if not path.name.startswith("~"):
            return
        opened = files or FileSystem(str(path))
        with opened.transaction():
            opened.set_setting(_ID_SETTING, agent_id)
        if files is None:
            opened.close()

    def _stored_id(self, name: str) -> str:
        files = FileSystem(str(self._directory / name), create=False)
        try:
            return str(files.setting(_ID_SETTING))
        finally:
            files.close()


def _encode(agent_id: str) -> str:
    """Return the file name of an id, without suffix.

    Small letters, digits, `-` and `_` stand for themselves, every other byte is `%XX`;
    capitals too, for file systems that ignore case. A name that would be too long is
    `~` and the SHA-256 of the id.
    """
    try:
        data = agent_id.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidPathError("the agent's id holds a lone surrogate") from None
    name = "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02x}" for byte in data) or "%"
    return name if len(name) <= _LONGEST_NAME else f"~{hashlib.sha256(data).hexdigest()}"


def _decode(name: str) -> str:
    if name == "%":
        return ""
    first, *escaped = name.split("%")
    data = first.encode() + b"".join(
        bytes([int(part[:2], 16)]) + part[2:].encode() for part in escaped
    )
    return data.decode("utf-8", "surrogateescape")


def _no_workspace(agent_id: str) -> NotFoundError:
    return NotFoundError(f"the agent has no workspace: {agent_id}", hint="open it with create=True")

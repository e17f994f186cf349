"""The stores that are measured, each behind the same few calls."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from vshell import Workspace


class Store(Protocol):
    """What every contender can do; paths are absolute."""

    def write(self, path: str, data: bytes) -> None: ...

    def read(self, path: str) -> bytes: ...

    def stat(self, path: str) -> object: ...

    def close(self) -> None: ...


class Vshell:
    def __init__(self, directory: Path) -> None:
        self.workspace = Workspace.open(directory / "bench.db", durability="process")

    def write(self, path: str, data: bytes) -> None:
        self.workspace.write(path, data)

    def read(self, path: str) -> bytes:
        return self.workspace.read_bytes(path)

    def stat(self, path: str) -> object:
        return self.workspace.stat(path)

    def close(self) -> None:
        self.workspace.close()


class PlainFiles:
    """`open` on the disk, without a flush."""

    def __init__(self, directory: Path) -> None:
        self.root = str(directory / "plain")
        os.mkdir(self.root)

    def write(self, path: str, data: bytes) -> None:
        with open(self.root + path, "wb") as file:
            file.write(data)

    def read(self, path: str) -> bytes:
        with open(self.root + path, "rb") as file:
            return file.read()

    def stat(self, path: str) -> object:
        return os.stat(self.root + path)

    def close(self) -> None:
        pass


class AgentFs:
    """agentfs-sdk is asynchronous: one run of an event loop for each call, as a caller has it."""

    def __init__(self, directory: Path) -> None:
        from agentfs_sdk import AgentFS, AgentFSOptions

        self._loop = asyncio.new_event_loop()
        self._agent = self._loop.run_until_complete(
            AgentFS.open(AgentFSOptions(path=str(directory / "agentfs.db")))
        )

    def write(self, path: str, data: bytes) -> None:
        self._loop.run_until_complete(self._agent.fs.write_file(path, data))

    def read(self, path: str) -> bytes:
        data: bytes = self._loop.run_until_complete(self._agent.fs.read_file(path, encoding=None))
        return data

    def stat(self, path: str) -> object:
        found: object = self._loop.run_until_complete(self._agent.fs.stat(path))
        return found

    def close(self) -> None:
        self._loop.run_until_complete(self._agent.close())
        self._loop.close()


class FsspecMemory:
    """fsspec's memory file system: no durability at all."""

    def __init__(self, directory: Path) -> None:
        from fsspec.implementations.memory import MemoryFileSystem

        self._prefix = f"/{directory.name}"
        self._files = MemoryFileSystem(skip_instance_cache=True)

    def write(self, path: str, data: bytes) -> None:
        self._files.pipe_file(self._prefix + path, data)

    def read(self, path: str) -> bytes:
        data: bytes = self._files.cat_file(self._prefix + path)
        return data

    def stat(self, path: str) -> object:
        found: object = self._files.info(self._prefix + path)
        return found

    def close(self) -> None:
        self._files.store.clear()

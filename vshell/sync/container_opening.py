"""Opening a container: by what it is to be, or by its name, as it was opened the last time."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence

from vshell.errors import InvalidPathError, NotFoundError
from vshell.fs.filesystem import FileSystem
from vshell.sync.container import Container
from vshell.sync.container_attach import Transport
from vshell.sync.container_memory import remembered
from vshell.sync.docker_client import connect
from vshell.sync.docker_limits import ContainerLimits
from vshell.sync.docker_machine import Settings
from vshell.sync.job_output import DIRECTORY as JOB_FILES
from vshell.sync.planner import Policy
from vshell.sync.rules import DEFAULT_CACHE, Rules

__all__ = ["open_container", "reopen_container"]

Cache = Sequence[str] | Mapping[str, str | None]

_OWN_FILES = JOB_FILES.split("/")[1] + "/"


def open_container(
    files: FileSystem,
    image: str,
    *,
    network: bool | str = False,
    env: Mapping[str, str] | None = None,
    mounts: Mapping[str, str] | None = None,
    limits: ContainerLimits | Mapping[str, float | None] | None = None,
    user: str | None = None,
    cache: Cache = DEFAULT_CACHE,
    ignore: Sequence[str] = (),
    policy: Policy = "safe",
    name: str | None = None,
    session: str = "",
    cwd: str = "/",
    transport: Transport = "auto",
    daemon: str | None = None,
    keep: bool = True,
) -> Container:
    """Return the container of a workspace; see `Workspace.container` for all of it."""
    connected = connect(daemon)
    settings = Settings(
        image,
        network if isinstance(network, str) else ("bridge" if network else "none"),
        user,
        dict(mounts or {}),
        _volumes(files, cache),
        ContainerLimits.of(limits),
    )
    return Container(
        files,
        connected,
        settings,
        name=name or settings.digest[:12],
        session=session,
        cwd=cwd,
        environment=env or {},
        policy=policy,
        rules=Rules(ignore=(*ignore, _OWN_FILES), cache=_patterns(cache)),
        transport=transport,
        keep=keep,
    )


def reopen_container(
    files: FileSystem, name: str, *, session: str = "", daemon: str | None = None
) -> Container:
    """Return a container by its name, as it was opened the last time.

    Raises:
        NotFoundError: The workspace has none of that name.
        UnavailableError: No daemon answers.
    """
    told = remembered(files, name)
    if not told:
        raise NotFoundError(f"the workspace has no container {name}", hint="`exec` makes one")
    found = told["settings"]
    limits = ContainerLimits.of(found.pop("limits"))
    return Container(
        files,
        connect(daemon),
        Settings(**found, limits=limits),
        name=name,
        session=session,
        cwd="/",
        environment={},
        policy=told["policy"],
        rules=Rules(ignore=told["ignore"], cache=told["cache"]),
        transport=told["transport"],
        keep=True,
        # What the file of a workspace says must not make a container with its mounts.
        create=False,
    )


def _patterns(cache: Cache) -> tuple[str, ...]:
    if isinstance(cache, Mapping):
        return tuple(f"/{path.strip('/')}/" for path in cache)
    return tuple(cache)


def _volumes(files: FileSystem, cache: Cache) -> dict[str, str]:
    """Return a volume for each cache that is kept under the hash of a lock file."""
    if not isinstance(cache, Mapping):
        return {}
    found = {}
    for path, lock in cache.items():
        inside = path.strip("/")
        if not inside or ".." in inside.split("/"):
            raise InvalidPathError(f"a cache must be a directory below the root: {path}", path=path)
        if lock is not None:
            place = posixpath.join("/", lock)
            told = files.stat(place).hash if files.exists(place) else "none"
            key = hashlib.sha256(f"{inside}\0{told}".encode()).hexdigest()[:24]
            found[inside] = f"vshell-cache-{key}"
    return found

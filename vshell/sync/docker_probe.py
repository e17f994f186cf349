"""What there is for containers here: the library, the daemon, and where mirrors would be."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from dataclasses import dataclass

from vshell.errors import VshellError
from vshell.record import Record
from vshell.sync.docker_client import Daemon, connect, is_podman, translated
from vshell.sync.docker_mirror import in_memory

__all__ = ["ContainerReport", "probe"]


@dataclass(frozen=True, slots=True)
class ContainerReport(Record):
    """What there is.

    Attributes:
        library: The version of the library `docker`; `""` when it is missing.
        daemon: Which daemon answers, its version, where it is; `""` when none does.
        mirror: Where the mirror of a container is by default.
        mirror_in_memory: Whether that is memory.
        problem: Why there can be no container, and what to do; `""` when there can.
    """

    library: str
    daemon: str
    mirror: str
    mirror_in_memory: bool
    problem: str


def probe(address: str | None = None) -> ContainerReport:
    """Find out; nothing is made or started.

    Args:
        address: Where the daemon is; see `docker_client.connect`.
    """
    try:
        library = importlib.metadata.version("docker")
    except importlib.metadata.PackageNotFoundError:
        library = ""
    try:
        daemon = connect(address)
        try:
            told, is_shared = _told(daemon), daemon.is_local and not daemon.maps_users
        finally:
            daemon.close()
    except VshellError as error:
        problem = f"{error.message}: {error.hint}" if error.hint else error.message
        return ContainerReport(library, "", *_mirror(is_shared=True), problem)
    return ContainerReport(library, told, *_mirror(is_shared=is_shared), "")


def _told(daemon: Daemon) -> str:
    with translated("cannot ask the daemon what it is"):
        found = daemon.api.version()
    name = "Podman" if is_podman(daemon) else "Docker"
    where = "on this host" if daemon.is_local else "remote"
    if daemon.is_rootless:
        where += ", rootless"
    if daemon.maps_users:
        where += ", with user ids of its own"
    return (
        f"{name} {found.get('Version')}, API {found.get('ApiVersion')}, {where}: {daemon.address}"
    )


def _mirror(*, is_shared: bool) -> tuple[str, bool]:
    if not is_shared:
        return "inside the container, in its memory", True
    if not in_memory(0):
        return "a temporary directory on a disk: /dev/shm cannot be written", False
    own = sys.platform == "linux" and os.geteuid() == 0
    return (
        "a file system of its own in memory"
        if own
        else "a directory in memory; the memory limit is what bounds it"
    ), True

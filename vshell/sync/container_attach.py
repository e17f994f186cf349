"""Finding the container of a workspace, or making it, with a mirror that both sides see.

Where the daemon is on this host, the mirror is a directory of the host that the container
has at `/workspace`; whether it really has is tried out, for a daemon may live in a machine
of its own. Otherwise the mirror is inside the container.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from vshell.errors import ConflictError, NotFoundError, UnavailableError
from vshell.sync import docker_exec, docker_machine
from vshell.sync.container_loop import ContainerLoop
from vshell.sync.container_target import ContainerTarget
from vshell.sync.directory import DirectoryTarget
from vshell.sync.docker_client import Daemon, translated
from vshell.sync.docker_machine import WORKSPACE, Machine, Settings
from vshell.sync.docker_mirror import MirrorDirectory
from vshell.sync.tar_stream import END, header
from vshell.sync.target import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, Target

Transport = Literal["auto", "bind", "stream"]

_SPARE_ENTRIES: Final = 1_000_000
"""Entries for caches, which do not count."""


class SharedTarget(DirectoryTarget):
    """A directory of the host that a container has as well."""

    kind = "container"


@dataclass(frozen=True, slots=True)
class Attached:
    """A running container.

    Attributes:
        machine: What the daemon knows.
        mirror: The directory that is shared with it; None when its mirror is inside.
        user: Who runs commands; None is the image's user.
    """

    machine: Machine
    mirror: MirrorDirectory | None
    user: str | None

    @property
    def root(self) -> str:
        """What tells its mirror from one that is made anew."""
        return self.mirror.private if self.mirror else self.machine.generation

    def is_here(self) -> bool:
        """Tell whether its mirror is a directory of this host that is still there."""
        return self.mirror is not None and MirrorDirectory.known(self.mirror.private) is not None

    def target(self, daemon: Daemon, *, max_file_bytes: int) -> Target:
        """Return the mirror's other side."""
        if self.mirror is not None:
            return SharedTarget(self.mirror.root)
        loop = ContainerLoop(daemon, self.machine.id, user=self.user)
        return ContainerTarget(
            loop, generation=self.machine.generation, max_file_bytes=max_file_bytes
        )


def attach(
    daemon: Daemon,
    full_name: str,
    settings: Settings,
    *,
    transport: Transport,
    needed_bytes: int,
    known_mirror: str | None,
) -> Attached:
    """Return the running container of that name, after making or starting it if need be.

    Args:
        daemon: Where it is.
        full_name: From `machine_name`.
        settings: What it is to be like.
        transport: How to mirror; `"auto"` chooses.
        needed_bytes: How large the workspace is.
        known_mirror: The private directory of the mirror, if there was one.

    Raises:
        ConflictError: It exists with other settings.
        NotFoundError: There is no such image.
        UnavailableError: The daemon does not answer, or the container does not run.
    """
    shared = _may_share(daemon, settings, transport)
    machine = docker_machine.find(daemon, full_name)
    if machine is not None:
        found = _again(daemon, machine, settings)
        if found is not None:
            return found
    if shared:
        mirror = MirrorDirectory.known(known_mirror) if known_mirror else None
        made = _make_shared(daemon, full_name, settings, known=mirror, needed_bytes=needed_bytes)
        if made is not None:
            return made
        if transport == "bind":
            raise UnavailableError(
                "the daemon does not see the directories of this host",
                hint='let the mirror be inside: transport="stream"',
            )
    return _make(daemon, full_name, settings, settings.user, None)


def find(daemon: Daemon, full_name: str, settings: Settings) -> Attached | None:
    """Return the container if it runs, without making or starting anything."""
    machine = docker_machine.find(daemon, full_name)
    if machine is None or not machine.is_running or machine.digest != settings.digest:
        return None
    mirror = MirrorDirectory.known(machine.mirror) if machine.mirror else None
    if machine.mirror and mirror is None:
        return None
    return Attached(machine, mirror, _user_of(daemon, settings, mirror))


def _may_share(daemon: Daemon, settings: Settings, transport: Transport) -> bool:
    if transport != "auto":
        return transport == "bind"
    own = {None, str(os.getuid()), f"{os.getuid()}:{os.getgid()}"}
    return daemon.is_local and not daemon.maps_users and settings.user in own


def _with_user(daemon: Daemon, settings: Settings, *, shared: bool) -> str | None:
    if not shared:
        return settings.user
    # Who runs a rootless daemon is root in its containers, and owns the mirror.
    return "0:0" if daemon.is_rootless else f"{os.getuid()}:{os.getgid()}"


def _user_of(daemon: Daemon, settings: Settings, mirror: MirrorDirectory | None) -> str | None:
    return _with_user(daemon, settings, shared=mirror is not None)


def _again(daemon: Daemon, machine: Machine, settings: Settings) -> Attached | None:
    """Return a container that exists; None when its mirror is gone, and it with it."""
    if machine.digest != settings.digest:
        raise ConflictError(
            "a container of that name exists with other settings",
            hint="name another one, or remove that one first",
        )
    mirror = MirrorDirectory.known(machine.mirror) if machine.mirror else None
    if machine.mirror and mirror is None:
        docker_machine.remove(daemon, machine.id)
        return None
    if not machine.is_running:
        machine = docker_machine.start(daemon, machine)
        if mirror is not None and not _sees(daemon, machine, mirror):
            docker_machine.remove(daemon, machine.id)
            return None
    return Attached(machine, mirror, _user_of(daemon, settings, mirror))


def _make_shared(
    daemon: Daemon,
    full_name: str,
    settings: Settings,
    *,
    known: MirrorDirectory | None,
    needed_bytes: int,
) -> Attached | None:
    """Make a container with a directory of the host; None when it does not see that."""
    limits = settings.limits
    user = _with_user(daemon, settings, shared=True)
    mirror = known or MirrorDirectory.make(
        needed_bytes=needed_bytes,
        max_bytes=limits.max_mirror_bytes,
        max_entries=limits.max_entries + _SPARE_ENTRIES,
    )
    made: Attached | None = None
    try:
        for inside in settings.volumes:
            # Else the daemon would make it, and it would be root's.
            os.makedirs(Path(mirror.root, inside), exist_ok=True)
        with suppress(UnavailableError):
            made = _make(daemon, full_name, settings, user, mirror)
            if not _sees(daemon, made.machine, mirror):
                docker_machine.remove(daemon, made.machine.id)
                made = None
        return made
    finally:
        if made is None and known is None:
            mirror.remove()


def _make(
    daemon: Daemon,
    full_name: str,
    settings: Settings,
    user: str | None,
    mirror: MirrorDirectory | None,
) -> Attached:
    shared = (mirror.private, mirror.root) if mirror else None
    try:
        machine = docker_machine.create(daemon, full_name, settings, user=user, mirror=shared)
    except ConflictError:
        # Another process was faster.
        found = docker_machine.find(daemon, full_name)
        again = _again(daemon, found, settings) if found else None
        if again is None:
            raise
        return again
    try:
        _own_volumes(daemon, machine, settings.volumes, user)
        machine = docker_machine.start(daemon, machine)
    except BaseException:
        docker_machine.remove(daemon, machine.id)
        raise
    return Attached(machine, mirror, user)


def _sees(daemon: Daemon, machine: Machine, mirror: MirrorDirectory) -> bool:
    """Tell whether the container has the directory: by a file that is only there."""
    name = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
    path = Path(mirror.root, name)
    path.touch(mode=0o600, exist_ok=False)
    try:
        code, _ = docker_exec.answer(
            daemon, machine.id, ["/bin/sh", "-c", 'test -e "$0"', f"{WORKSPACE}/{name}"]
        )
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
    return code == 0


def _own_volumes(
    daemon: Daemon, machine: Machine, volumes: Mapping[str, str], user: str | None
) -> None:
    """Give the directories of new volumes to who runs commands; they are root's at first."""
    uid, _, gid = (user or "0").partition(":")
    if not uid.isdigit() or uid == "0":
        return
    archive = header(b"./", b"5", mode=0o755, mtime_ns=0, owner=(int(uid), int(gid or uid))) + END
    for inside in volumes:
        with suppress(NotFoundError), translated("cannot prepare a volume"):
            daemon.api.put_archive(machine.id, f"{WORKSPACE}/{inside}", archive)

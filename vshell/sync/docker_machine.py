"""One container: made with as few rights as possible, found again, asked, and removed.

It drops every capability, gains no privileges, has no network unless asked, and runs as
the owner of the mirror. Its first process only waits, so that commands can be run in it
one after the other.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from vshell.errors import ConflictError, InvalidPathError, NotFoundError, UnavailableError
from vshell.sync.docker_client import Daemon, is_podman, translated
from vshell.sync.docker_limits import ContainerLimits

WORKSPACE: Final = "/workspace"
"""Where a container has the mirror."""

CONTROL: Final = "/run/vshell"
"""Where commands leave their exit codes: in memory, and in no mirror."""

_LABEL: Final = "vshell"
# `wait` also collects orphans, which a first process has to.
_IDLE: Final = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a container is made with, and cannot be changed later.

    Attributes:
        image: The image's name.
        network: `"none"`, `"bridge"`, or a network's name.
        user: Who runs commands, as `docker run --user` has it; None is the image's.
        mounts: Directories of the host by where they are in the container; those that end
            in `:rw` can be written.
        volumes: Volumes of the daemon by where they are in the mirror.
        limits: What it may use.
    """

    image: str
    network: str = "none"
    user: str | None = None
    mounts: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    limits: ContainerLimits = field(default_factory=ContainerLimits)

    def __post_init__(self) -> None:
        for inside in self.mounts:
            if not inside.startswith("/") or posixpath.normpath(inside) != inside:
                raise InvalidPathError(
                    f"a mount's place must be an absolute path: {inside}", path=inside
                )
            if inside == "/" or f"{inside}/".startswith(f"{WORKSPACE}/"):
                raise InvalidPathError(
                    f"a mount must be outside {WORKSPACE}: {inside}", path=inside
                )

    @property
    def digest(self) -> str:
        """What tells these settings from others; how long commands may run is none of them."""
        limits = asdict(self.limits)
        for name in ("timeout_s", "max_output_bytes", "max_kept_bytes", "max_entries"):
            limits.pop(name)
        told = json.dumps(
            [
                self.image,
                self.network,
                self.user,
                sorted(self.mounts.items()),
                sorted(self.volumes.items()),
                limits,
            ]
        )
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Machine:
    """A container as the daemon knows it.

    Attributes:
        id: The daemon's name for it.
        started_as: When it started; after a restart this is another time, and no command
            of before runs any more.
        is_running: Whether commands can be run in it.
        mirror: The private directory of the host with its mirror; None when the mirror is
            inside.
        digest: What its settings were; see `Settings.digest`.
    """

    id: str
    started_as: str
    is_running: bool
    mirror: str | None
    digest: str

    @property
    def generation(self) -> str:
        """Changes whenever what was inside may be gone."""
        return f"{self.id}@{self.started_as}"


def machine_name(owner: str, name: str) -> str:
    """Return what the daemon calls the container of a workspace.

    Raises:
        InvalidPathError: A daemon does not take such a name.
    """
    if not _NAME.fullmatch(name):
        raise InvalidPathError(
            f"not a possible name of a container: {name!r}",
            hint="use up to 64 letters, digits, dots, dashes and underlines",
        )
    return f"vshell-{owner[:12]}-{name}"


def find(daemon: Daemon, full_name: str) -> Machine | None:
    """Return the container of that name, if there is one, and it is one of ours."""
    try:
        return inspect(daemon, full_name)
    except NotFoundError:
        return None


def inspect(daemon: Daemon, machine: str) -> Machine:
    """Return what a container is now.

    Raises:
        NotFoundError: It is gone.
        ConflictError: The name is that of a container that vshell did not make.
    """
    with translated("cannot look at the container"):
        found = daemon.api.inspect_container(machine)
    labels = found["Config"]["Labels"] or {}
    if f"{_LABEL}.settings" not in labels:
        raise ConflictError(
            "a container of that name exists that vshell did not make", hint="use another name"
        )
    state = found["State"]
    return Machine(
        found["Id"],
        state["StartedAt"],
        bool(state["Running"]) and not state.get("Paused"),
        labels.get(f"{_LABEL}.mirror") or None,
        labels[f"{_LABEL}.settings"],
    )


def is_still(daemon: Daemon, machine: Machine) -> bool:
    """Tell whether a container runs, and has run since it was looked at.

    Raises:
        UnavailableError: The daemon does not answer.
    """
    try:
        now = inspect(daemon, machine.id)
    except (NotFoundError, ConflictError):
        return False
    return now.is_running and now.started_as == machine.started_as


def create(
    daemon: Daemon,
    full_name: str,
    settings: Settings,
    *,
    user: str | None,
    mirror: tuple[str, str] | None,
) -> Machine:
    """Make a container, without starting it.

    Args:
        daemon: Where.
        full_name: From `machine_name`.
        settings: What it is like.
        user: Who runs its commands.
        mirror: The private directory of the host, and the root in it that the container is
            to see; None for a mirror inside.

    Raises:
        NotFoundError: There is no such image, volume or network.
        ConflictError: There is a container of that name.
        UnavailableError: The daemon cannot do it.
    """
    api, limits = daemon.api, settings.limits
    mounts = [_bind(inside, outside) for inside, outside in settings.mounts.items()]
    memory = {CONTROL: "size=16m,mode=1777,nodev,nosuid,noexec"}
    if mirror:
        mounts.append(_bind(WORKSPACE, f"{mirror[1]}:rw"))
    else:
        size = f"size={limits.max_mirror_bytes}"
        if not is_podman(daemon):  # which knows no such option, and holds to the memory's limit
            size += f",nr_inodes={2 * limits.max_entries}"
        memory[WORKSPACE] = f"{size},mode=1777,nodev,nosuid,exec{_owned_by(user)}"
    mounts += [
        {"Type": "volume", "Source": volume, "Target": posixpath.join(WORKSPACE, inside)}
        for inside, volume in settings.volumes.items()
    ]
    with translated(f"cannot make a container of {settings.image}"):
        made = api.create_container(
            settings.image,
            entrypoint=["/bin/sh", "-c", _IDLE],
            command=[],
            name=full_name,
            user=user,
            labels={
                f"{_LABEL}.settings": settings.digest,
                f"{_LABEL}.mirror": mirror[0] if mirror else "",
            },
            host_config=api.create_host_config(
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=limits.max_processes,
                mem_limit=limits.max_memory_bytes,
                memswap_limit=limits.max_memory_bytes,
                nano_cpus=int(limits.max_cpus * 1e9) if limits.max_cpus else None,
                network_mode=settings.network,
                mounts=mounts,
                tmpfs=memory,
            ),
        )
    return inspect(daemon, made["Id"])


def start(daemon: Daemon, machine: Machine) -> Machine:
    """Start a container, and return what it is then.

    Raises:
        UnavailableError: It cannot run: its image has no `/bin/sh`, for example.
    """
    with translated("cannot start the container"):
        daemon.api.start(machine.id)
    started = inspect(daemon, machine.id)
    if not started.is_running:
        raise UnavailableError(
            "the container does not go on running", hint="its image must have /bin/sh and sleep"
        )
    return started


def stop(daemon: Daemon, machine: str) -> None:
    """Kill everything in a container; it can be started again."""
    with translated("cannot stop the container"):
        daemon.api.kill(machine)


def remove(daemon: Daemon, machine: str) -> None:
    """Kill and remove a container; one that is gone is fine."""
    try:
        with translated("cannot remove the container"):
            daemon.api.remove_container(machine, force=True, v=False)
    except NotFoundError:
        return


def _owned_by(user: str | None) -> str:
    """Return the options that give a file system in memory to a user with a number."""
    # Where the image has the directory, the daemon takes over that one's mode.
    uid, _, gid = (user or "").partition(":")
    if not uid.isdigit():
        return ""
    return f",uid={uid},gid={gid}" if gid.isdigit() else f",uid={uid}"


def _bind(inside: str, outside: str) -> dict[str, Any]:
    source = outside.removesuffix(":rw").removesuffix(":ro")
    return {
        "Type": "bind",
        "Source": source,
        "Target": inside,
        "ReadOnly": not outside.endswith(":rw"),
    }

"""The daemon that runs containers: Docker's, or another one that speaks its API.

The `docker` library does what is plain HTTP. Streams of running commands have a
connection of their own (`docker_stream.py`), for the library loses what arrives together
with the answer's head.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vshell.errors import ConflictError, NotFoundError, UnavailableError, VshellError

_DEFAULT: Final = "unix:///var/run/docker.sock"
_PODMAN: Final = "/run/podman/podman.sock"
_TIMEOUT_S: Final = 60

_INSTALL: Final = "install Docker (on Debian: `apt install docker.io`) or Podman, and start it"
_INSTALL_LIBRARY: Final = "install it with `pip install 'vshell[container]'`"


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that answers.

    Attributes:
        api: The library's low-level client.
        address: Where it listens, as `unix:///path` or `tcp://host:port`.
        is_rootless: Whether root in a container is who runs the daemon.
        maps_users: Whether a container's users are others on the host.
    """

    api: Any
    address: str
    is_rootless: bool
    maps_users: bool

    @property
    def is_local(self) -> bool:
        """Whether it may see the same directories as this process."""
        return self.address.startswith("unix://")

    def close(self) -> None:
        """Close the connections."""
        self.api.close()


def connect(address: str | None = None) -> Daemon:
    """Return a daemon that answers.

    Args:
        address: `unix:///path` or `tcp://host:port`; None takes `$DOCKER_HOST`, else
            Docker's usual socket, else Podman's.

    Raises:
        UnavailableError: The library is missing, or no daemon answers; `hint` says what to
            install or start.
    """
    try:
        import docker
    except ImportError:
        raise UnavailableError(
            "containers need the Python library `docker`", hint=_INSTALL_LIBRARY
        ) from None
    chosen = address or os.environ.get("DOCKER_HOST") or _usual_address()
    if not chosen.startswith(("unix://", "tcp://")):
        raise UnavailableError(
            "the daemon's address must begin with unix:// or tcp://",
            hint="forward a remote socket with `ssh -L`, and name the local end of it",
        )
    try:
        _try_to_reach(chosen)
        api = docker.APIClient(
            version="auto", timeout=_TIMEOUT_S, **docker.utils.kwargs_from_env(_environment(chosen))
        )
        options = api.info().get("SecurityOptions") or []
    except (docker.errors.DockerException, OSError, ValueError):
        raise UnavailableError("no daemon for containers answers", hint=_INSTALL) from None
    return Daemon(
        api,
        chosen,
        is_rootless=any("rootless" in option for option in options),
        maps_users=any("name=userns" in option for option in options),
    )


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Turn the library's errors into ours.

    Args:
        subject: What the daemon was asked to do, for the message.

    Raises:
        NotFoundError: It does not have what was named.
        ConflictError: What was named is in another state.
        UnavailableError: It refuses, or does not answer.
    """
    import docker
    import requests

    try:
        yield
    except docker.errors.NotFound as error:
        raise NotFoundError(f"{subject}: {_said(error)}") from None
    except docker.errors.APIError as error:
        kind: type[VshellError] = UnavailableError
        if error.status_code == 409:
            kind = ConflictError
        raise kind(f"{subject}: {_said(error)}") from None
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        if isinstance(error, VshellError):
            raise
        raise UnavailableError(
            f"{subject}: the daemon does not answer ({type(error).__name__})",
            hint="see whether it runs; what was journalled can be resumed then",
        ) from None


def is_podman(daemon: Daemon) -> bool:
    """Tell whether a daemon is Podman's.

    Raises:
        UnavailableError: It does not answer.
    """
    with translated("cannot ask the daemon what it is"):
        parts = daemon.api.version().get("Components") or []
    return any("podman" in str(part.get("Name", "")).lower() for part in parts)


def _try_to_reach(address: str) -> None:
    """Connect once: the library leaves its socket open when it cannot.

    Raises:
        OSError: Nobody listens there.
        ValueError: The address has no number for the port.
    """
    scheme, _, place = address.partition("://")
    if scheme == "tcp":
        host, _, port = place.rpartition(":")
        socket.create_connection((host, int(port)), timeout=_TIMEOUT_S).close()
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(place)


def _said(error: Any) -> str:
    return str(error.explanation or error).strip()


def _usual_address() -> str:
    if Path(_DEFAULT.removeprefix("unix://")).exists():
        return _DEFAULT
    own = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [f"{own}/docker.sock", f"{own}/podman/podman.sock"] if own else []
    for candidate in [*candidates, _PODMAN]:
        with suppress(OSError):
            if Path(candidate).is_socket():
                return f"unix://{candidate}"
    return _DEFAULT


def _environment(address: str) -> dict[str, str]:
    names = ("DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {"DOCKER_HOST": address} | (kept if address.startswith("tcp://") else {})

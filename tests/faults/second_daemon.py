"""A Docker daemon of a test's own, which can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final

_START_S: Final = 60.0
_OPTIONS: Final = (
    "--bridge=none",
    "--iptables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--storage-driver=vfs",
    "--containerd-namespace=vshell-test",
    "--containerd-plugins-namespace=vshell-test-plugins",
)


def missing() -> str | None:
    """Return why there can be none; None if there can."""
    if os.geteuid() != 0:
        return "only root can start a second daemon"
    return None if shutil.which("dockerd") else "dockerd is not installed"


class SecondDaemon:
    """A daemon that keeps everything below one directory.

    Args:
        directory: The directory, with a short path: sockets are in it.
        live_restore: Whether containers go on while it is away.
    """

    def __init__(self, directory: Path, *, live_restore: bool) -> None:
        self.address = f"unix://{directory}/sock"
        self._directory = directory
        self._options = [*_OPTIONS, *(["--live-restore"] if live_restore else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        place = self._directory
        with open(place / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    # It removes the bridge of the host's own daemon where it sees it.
                    *("unshare", "--net", "--"),
                    "dockerd",
                    f"--data-root={place}/data",
                    f"--exec-root={place}/exec",
                    f"--pidfile={place}/pid",
                    f"--host={self.address}",
                    *self._options,
                ],
                stdout=log,
                stderr=log,
            )
        deadline_s = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError((place / "log").read_text()[-2000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        # The SDK leaves its socket open when it cannot connect.
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.settimeout(_START_S)
                connection.connect(self.address.removeprefix("unix://"))
                connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b"200 OK" in connection.recv(1024)
            except OSError:
                return False

    def client(self) -> Any:
        """Return a client that has asked it something."""
        import docker

        made = docker.DockerClient(base_url=self.address)
        made.ping()
        return made

    def end(self, number: signal.Signals) -> None:
        """End it by a signal, and wait for that."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()
        # What was killed with it may stay as a zombie, which looks as if it still ran.
        for left in ("pid", "exec/containerd/containerd.pid"):
            (self._directory / left).unlink(missing_ok=True)

    def load(self, other: Any, image: str) -> None:
        """Take an image over from another daemon."""
        client = self.client()
        client.images.load(b"".join(other.images.get(image).save(named=True)))
        client.close()

    def remove(self) -> None:
        """Remove its containers, end it, and remove what it mounted."""
        assert self._process is not None
        if self._process.poll() is not None:
            self.start()
        client = self.client()
        for container in client.containers.list(all=True):
            container.remove(force=True)
        client.close()
        self.end(signal.SIGTERM)
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            mounted = line.split()[1]
            if mounted.startswith(f"{self._directory}/"):
                subprocess.run(["umount", "-l", mounted], check=False)

"""What this platform offers for confinement, found out by trying it in a process of its own."""

from __future__ import annotations

import functools
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vshell.jail import system_calls
from vshell.record import Record

__all__ = ["Confinement", "probe"]

_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Confinement(Record):
    """What there is; each is an empty text when it works, and else says why not.

    Attributes:
        architecture: The list of system calls for this processor.
        namespaces: User, network, mount, IPC, UTS, process and cgroup namespaces, together.
        empty_root: An empty root directory in them.
        seccomp: The filter of system calls.
        pidfd: Ending a process by a descriptor rather than a number that is used again.
        landlock: Access to files by directory.
    """

    architecture: str
    namespaces: str
    empty_root: str
    seccomp: str
    pidfd: str
    landlock: str

    @property
    def guests(self) -> str:
        """How guests are confined: `"full"`, `"reduced"` or `"none"`."""
        if self.architecture or self.seccomp or self.pidfd:
            return "none"
        return "reduced" if self.namespaces or self.empty_root else "full"


@functools.cache
def probe() -> Confinement:
    """Try everything once, in a process of its own that ends then."""
    if not sys.platform.startswith("linux"):
        reason = f"only Linux has it, and this is {platform.system()}"
        return Confinement(*[reason] * 6)
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-s", "-S", "-P", "-c", _BOOT, str(Path(__file__).parents[2])],
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={},
    )
    try:
        found: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        reason = "the probe ended without an answer"
        return Confinement(*[reason] * 6)
    return Confinement(**found)


_BOOT: Final = """\
import sys, types
for name in ("vshell", "vshell.jail"):
    module = types.ModuleType(name)
    module.__path__ = [sys.argv[1] + "/" + name.replace(".", "/")]
    sys.modules[name] = module
from vshell.jail.probing import main
main()
"""


def main() -> None:
    """Print what was found, as JSON."""
    from vshell.jail import filters, landlock, namespaces

    machine = platform.machine()
    known = system_calls.this_one() is not None
    found = {
        "architecture": "" if known else f"there is none for {machine}",
        "pidfd": _reason(_probe_pidfd),
        "landlock": "" if landlock.version() else "the kernel has none, or it is off",
        "namespaces": _in_child(namespaces.enter),
        "empty_root": _in_child(namespaces.enter, namespaces.empty_root),
        "seccomp": _in_child(filters.lock_guest),
    }
    sys.stdout.write(json.dumps(found))


def _probe_pidfd() -> None:
    import os
    import signal

    identity = os.pidfd_open(os.getpid())
    try:
        signal.pidfd_send_signal(identity, 0)
    finally:
        os.close(identity)


def _reason(step: Callable[[], object]) -> str:
    try:
        step()
    except (OSError, AttributeError, RuntimeError) as error:
        return str(error)
    return ""


def _in_child(*steps: Callable[[], object]) -> str:
    """Return why one of the steps failed, taken in a process of their own."""
    import os

    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reader)
        reason = ""
        for step in steps:
            reason = reason or _reason(step)
        os.write(writer, reason.encode()[:200])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answers:
        reason = answers.read().decode("utf-8", "replace")
    _, status = os.waitpid(process, 0)
    return reason or ("" if status == 0 else "the process was ended by it")

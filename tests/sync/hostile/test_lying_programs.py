"""The programs in a container lie: about names, numbers, ends, and about what they packed."""

from __future__ import annotations

import base64
import io
import shutil
import tarfile
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.sync.conftest import OpenContainer
from vshell import Workspace
from vshell.errors import CorruptError, TooLargeError, UnavailableError, VshellError
from vshell.sync.container import Container

pytestmark = pytest.mark.docker

CLOCK = r"f 644 0 1.0 1.0 1 /run/vshell/clock\0"
HONEST_START = 'case "$*" in *maxdepth*|*files0*) exec /usr/bin/find "$@";; esac;'


def replace(container: Container, program: str, script: str) -> None:
    """Put another program in the place of one that the mirror uses."""
    text = base64.b64encode(f"#!/bin/sh\n{script}\n".encode()).decode()
    job = container.exec(
        f"mkdir -p /usr/local/bin; echo {text} | base64 -d > /usr/local/bin/{program}; chmod +x /usr/local/bin/{program}"
    )
    assert job.exit_code == 0
    container._engine().target.close()  # a new shell looks for its programs anew


@pytest.fixture
def container(workspace: Workspace, open_container: OpenContainer) -> Container:
    workspace.write("/kept", "kept\n")
    made = open_container(transport="stream", limits={"max_entries": 1000})
    made.exec("true")
    return made


def require_whole(workspace: Workspace) -> None:
    assert workspace.read_text("/kept") == "kept\n"
    assert workspace.check().ok
    assert [entry.name for entry in workspace.ls("/").entries] == ["kept"]


@pytest.mark.parametrize(
    "records",
    [
        r"f 644 1 1.0 1.0 1 ./../../etc/passwd\0",
        r"f 644 1 1.0 1.0 1 /etc/passwd\0",
        r"f 644 1 1.0 1.0 1 ./a//b\0",
        r"f 644 1 1.0 1.0 1 ./a/b\0",
        r"f 644 1 1.0 1.0 1 ./a\0f 644 1 1.0 1.0 1 ./a/b\0",
        r"d 755 1 1.0 1.0 1 ./a\0d 755 1 1.0 1.0 1 ./a\0",
        r"f 999 1 1.0 1.0 1 ./a\0",
        r"f 644 -1 1.0 1.0 1 ./a\0",
        r"f 644 99999999999999999999999 1.0 1.0 1 ./a\0",
        r"f 644 1 nan 1.0 1 ./a\0",
        r"f 644 1 1e99 1.0 1 ./a\0",
        r"f\0",
        r"\0\0\0",
    ],
)
def test_a_listing_that_cannot_be_is_refused(
    workspace: Workspace, container: Container, records: str
) -> None:
    replace(container, "find", f"{HONEST_START} printf '{CLOCK}{records}'")
    with pytest.raises(CorruptError):
        container.sync()
    require_whole(workspace)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (
            f"printf '{CLOCK}'; while :; do printf 'f 644 1 1.0 1.0 1 ./a\\0%.0s' 1 2 3; done",
            VshellError,
        ),
        ("yes", CorruptError),
        (f"printf '{CLOCK}'; exit 1", UnavailableError),
        (f"printf '{CLOCK}'; kill -9 $$", UnavailableError),
        ("exit 0", CorruptError),
        ("kill -9 $PPID", UnavailableError),
    ],
    ids=["endless", "no ends", "it fails", "it dies", "nothing", "it ends the shell"],
)
def test_a_listing_without_an_end_is_refused(
    workspace: Workspace, container: Container, script: str, error: type[VshellError]
) -> None:
    replace(container, "find", HONEST_START + script)
    with pytest.raises((error, TooLargeError)):
        container.sync()
    require_whole(workspace)


@pytest.mark.parametrize("script", ["yes", "exit 1", "kill -9 $PPID", "sleep 0"])
def test_a_shell_that_never_gets_ready_is_given_up(
    workspace: Workspace, container: Container, script: str
) -> None:
    replace(container, "find", script)
    with pytest.raises(VshellError):
        container.sync()
    require_whole(workspace)


def packed(*members: tuple[str, bytes, bytes, str]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, type, data, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = type, target, len(data)
            archive.addfile(info, io.BytesIO(data))
    return output.getvalue()


HONEST = ("./new", tarfile.REGTYPE, b"data", "")


@pytest.mark.parametrize(
    "archive",
    [
        packed(("../../escaped", tarfile.REGTYPE, b"x", ""), HONEST),
        packed(("/etc/escaped", tarfile.REGTYPE, b"x", ""), HONEST),
        packed(("./new", tarfile.LNKTYPE, b"", "/etc/passwd")),
        packed(("./new", tarfile.CHRTYPE, b"", "")),
        packed(("./new", tarfile.FIFOTYPE, b"", "")),
        packed(("./new", tarfile.DIRTYPE, b"", "")),
        packed(HONEST, ("./new", tarfile.REGTYPE, b"again", "")),
        packed(HONEST)[:520],
        packed(("./kept", tarfile.REGTYPE, b"not asked for", ""), HONEST),
        b"",
        b"garbage" * 500,
    ],
    ids=[
        "parent",
        "absolute",
        "hard link",
        "device",
        "pipe",
        "directory",
        "twice",
        "truncated",
        "not asked for",
        "nothing",
        "garbage",
    ],
)
def test_an_archive_brings_only_what_was_asked_for(
    workspace: Workspace, container: Container, archive: bytes
) -> None:
    text = base64.b64encode(archive).decode()
    make: Callable[[str], None] = lambda script: replace(container, "tar", script)  # noqa: E731
    make(f'case "$*" in *-cf*) echo {text} | base64 -d;; *) exec /usr/bin/tar "$@";; esac')
    job = container.exec("echo data > new")
    assert job.exit_code == 0
    assert job.phase in ("done", "pull_pending")
    assert workspace.read_text("/kept") == "kept\n"
    names = {entry.name for entry in workspace.ls("/").entries}
    assert names <= {"kept", "new"}
    if "new" in names:
        assert workspace.read_bytes("/new") in (b"data", b"data\n", b"")
    assert workspace.check().ok
    assert shutil.which("true")  # the host still has what it had


def test_an_endless_archive_is_cut(workspace: Workspace, container: Container) -> None:
    replace(container, "tar", 'case "$*" in *-cf*) yes;; *) exec /usr/bin/tar "$@";; esac')
    job = container.exec("echo data > new")
    assert job.phase in ("done", "pull_pending")
    with suppress(VshellError):
        container.sync()
    assert workspace.read_text("/kept") == "kept\n"

"""Text commands neither end too soon, nor see the host, nor trust what they read."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator

import pytest

from tests.shell.run_command import ENVIRONMENT, run_command
from vshell import Workspace
from vshell.shell import commands
from vshell.shell.command import Executed, Invocation, Parsed
from vshell.shell.options import invoke


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory(now=lambda: 1_700_000_000 * 10**9) as opened:
        yield opened


class Closing:
    """An output whose reader leaves after some bytes."""

    def __init__(self, limit: int) -> None:
        self.data = b""
        self._limit = limit

    def write(self, data: bytes, /) -> None:
        if len(self.data) >= self._limit:
            raise BrokenPipeError
        self.data += data


def stream(workspace: Workspace, words: list[str], limit: int = 100_000) -> tuple[int, bytes]:
    command = commands.find(words[0])
    assert command is not None
    out = Closing(limit)
    call = Invocation(
        name=words[0],
        context=workspace,
        parsed=Parsed((), tuple(words[1:])),
        environment=ENVIRONMENT,
        stdin=io.BytesIO(),
        stdout=out,
        stderr=io.BytesIO(),
        execute=lambda words, data: Executed(127),
    )
    return invoke(command, call), out.data


@pytest.mark.parametrize(
    "words", [["yes"], ["seq", "1", "inf"], ["seq", "0", "0.5", "inf"], ["shuf", "-r", "-e", "x"]]
)
def test_what_never_ends_stops_when_nobody_reads(workspace: Workspace, words: list[str]) -> None:
    exit_code, data = stream(workspace, words)
    assert exit_code == 141
    assert len(data) >= 100_000


def test_what_is_long_is_whole(workspace: Workspace) -> None:
    counted = run_command(workspace, ["seq", "300000"])
    assert counted.stdout.count(b"\n") == 300_000
    assert run_command(workspace, ["wc", "-l"], counted.stdout).stdout == b"300000\n"
    assert run_command(workspace, ["sort", "-rn"], counted.stdout).stdout.startswith(
        b"300000\n299999\n"
    )
    assert run_command(workspace, ["tac"], counted.stdout).stdout.endswith(b"\n1\n")
    assert run_command(workspace, ["sed", "-n", "$="], counted.stdout).stdout == b"300000\n"


def test_the_clock_is_the_workspaces(workspace: Workspace) -> None:
    assert run_command(workspace, ["date", "+%s"]).stdout == b"1700000000\n"
    assert run_command(workspace, ["date", "-u", "-d", "tomorrow", "+%F"]).stdout == b"2023-11-15\n"


@pytest.mark.parametrize(
    "words",
    [
        ["env"],
        ["printenv"],
        ["jq", "-n", "$ENV"],
        ["jq", "-n", "env"],
        ["jq", "-n", "[env, $ENV] | tostring"],
    ],
)
def test_the_hosts_variables_are_not_seen(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("HOST_SECRET", "hidden")
    done = run_command(workspace, words, environment={"SHOWN": "yes"})
    assert b"SHOWN" in done.stdout
    assert b"HOST_SECRET" not in done.stdout


@pytest.mark.parametrize("program", [") | $ENV | (.", "1) as $x | ($ENV", ". as $q | $ENV) , (1"])
def test_a_program_does_not_leave_its_frame(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setenv("HOST_SECRET", "hidden")
    done = run_command(workspace, ["jq", "-n", program])
    assert done.exit_code == 3
    assert b"hidden" not in done.stdout + done.stderr


def test_programs_read_no_modules_of_the_host(workspace: Workspace) -> None:
    done = run_command(workspace, ["jq", "-n", 'import "a" as $d {search: "/etc"}; $d'])
    assert done.exit_code == 3
    assert b"modules are not supported" in done.stderr


@pytest.mark.parametrize(
    "program", ["reduce range(9999) as $_ ([];[.])|tojson|length", "[limit(3; repeat(1))]"]
)
def test_deep_values_do_no_harm(workspace: Workspace, program: str) -> None:
    assert run_command(workspace, ["jq", "-nc", program]).exit_code in (0, 5)


def test_deep_input_is_an_error(workspace: Workspace) -> None:
    done = run_command(workspace, ["jq", "."], b"[" * 5000 + b"]" * 5000)
    assert done.exit_code != 0
    assert b"depth" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["sed", "s/a/b/", "/etc/passwd"],
        ["tar", "-cf", "x.tar", "/etc/passwd"],
        ["od", "../../etc/passwd"],
        ["jq", "-f", "/etc/hostname"],
        ["date", "-r", "/etc/passwd"],
        ["md5sum", "/proc/self/environ"],
    ],
)
def test_files_of_the_host_are_not_there(workspace: Workspace, words: list[str]) -> None:
    done = run_command(workspace, words, b"null")
    assert done.exit_code != 0
    assert b"No such file" in done.stderr


# Archives.


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def test_an_archive_reaches_nothing_above_where_it_is_extracted(workspace: Workspace) -> None:
    workspace.write("/secret", "kept")
    workspace.mkdir("/in")
    data = tar_of(
        (tarfile.TarInfo("../secret"), b"gone"),
        link("door", ".."),
        (tarfile.TarInfo("door/secret"), b"gone"),
        (tarfile.TarInfo("fine"), b"ok"),
    )
    done = run_command(workspace.session("s", cwd="/in"), ["tar", "-xf", "-"], data)
    assert done.exit_code == 2
    assert b"Member name contains '..'" in done.stderr
    assert workspace.files.read("/secret") == b"kept"
    assert workspace.files.read("/in/fine") == b"ok"


def test_a_leading_slash_is_removed(workspace: Workspace) -> None:
    workspace.mkdir("/in")
    data = tar_of((tarfile.TarInfo("/etc/x"), b"1"))
    done = run_command(workspace.session("s", cwd="/in"), ["tar", "-xf", "-"], data)
    assert b"Removing leading `/' from member names" in done.stderr
    assert workspace.files.read("/in/etc/x") == b"1"


def test_a_zip_with_dots_stays_inside(workspace: Workspace) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../up", "x")
        archive.writestr("/top", "y")
    workspace.write("/in/a.zip", out.getvalue())
    done = run_command(workspace.session("s", cwd="/in"), ["unzip", "a.zip"])
    assert done.exit_code == 1
    assert workspace.files.read("/in/up") == b"x"
    assert workspace.files.read("/in/top") == b"y"
    assert not workspace.files.exists("/up")


@pytest.mark.parametrize("name", ["gunzip", "bunzip2", "unxz"])
@pytest.mark.parametrize("size", [0, 5, 40])
def test_a_stream_that_is_cut_off_is_an_error(workspace: Workspace, name: str, size: int) -> None:
    maker = {"gunzip": "gzip", "bunzip2": "bzip2", "unxz": "xz"}[name]
    whole = run_command(workspace, [maker, "-c"], b"some text that is long enough" * 9).stdout
    assert run_command(workspace, [name, "-c"], whole).stdout.startswith(b"some text")
    assert run_command(workspace, [name, "-c"], whole[:size]).exit_code != 0


# Editing in place.


def test_sed_in_place_obeys_the_ledger(workspace: Workspace) -> None:
    workspace.write("/f", "one\n")
    session = workspace.session("s", require_read=True)
    words = ["sed", "-i", "s/one/two/", "/f"]
    assert run_command(session, words).exit_code == 1
    assert workspace.files.read("/f") == b"one\n"
    run_command(session, ["cat", "/f"])
    assert run_command(session, words).exit_code == 0
    assert workspace.files.read("/f") == b"two\n"


def test_sed_in_place_keeps_the_mode_and_breaks_links_as_gnu_does(workspace: Workspace) -> None:
    workspace.write("/f", "one\n")
    with workspace.changing("test"):
        workspace.files.chmod("/f", 0o751)
        workspace.files.link("/f", "/g")
        workspace.files.symlink("f", "/l")
    assert run_command(workspace, ["sed", "-i", "s/one/two/", "/f"]).exit_code == 0
    assert workspace.files.read("/g") == b"one\n"
    assert workspace.files.stat("/f").mode == 0o751
    assert run_command(workspace, ["sed", "-i", "s/two/three/", "/l"]).exit_code == 0
    assert workspace.files.stat("/l", follow=False).kind == "file"
    assert workspace.files.read("/f") == b"two\n"


def test_a_regular_expression_that_would_take_for_ever_ends(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("machine", "selector"):
        monkeypatch.setattr(f"vshell.shell.commands.sed.{module}.REGEX_TIMEOUT_S", 0.05)
    done = run_command(workspace, ["sed", "-E", r"s/^(a|aa|a*)*\1b$//"], b"a" * 40 + b"c\n")
    assert done.exit_code in (0, 4)


def test_every_command_has_help(workspace: Workspace) -> None:
    for name in commands.names():
        done = run_command(workspace, [name, "--help"])
        assert done.exit_code == 0, name
        assert b"Usage:" in done.stdout, name

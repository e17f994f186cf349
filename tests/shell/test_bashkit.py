"""What the engine is relied on for: each claim is one that vshell's own code builds on.

A new release of bashkit that breaks one of them fails here first, by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bashkit import Bash, BashError, ExecutionProfile, FileSystem

from vshell.shell.bashkit_abi import DIRECTORY, FILE, EngineStat, FileTable
from vshell.shell.native import LANGUAGE, STATEFUL

Command = Callable[[Any], Awaitable[int]]


def engine(**commands: Command) -> Bash:
    made = Bash(profile=ExecutionProfile.Interactive)
    for name, command in commands.items():
        made.add_command(name, command)
    return made


def printed(made: Bash, script: str) -> tuple[bytes, int]:
    pieces: list[bytes] = []

    async def keep(data: bytes) -> None:
        pieces.append(data)

    async def run() -> Any:
        return await made.execute(script, capture=0, stdout=keep, stderr=keep)

    result = asyncio.run(run())
    return b"".join(pieces), result.exit_code


async def every_byte(asked: Any) -> int:
    await asked.stdout.write(bytes(range(256)))
    return 0


async def in_hex(asked: Any) -> int:
    data = b""
    while (piece := await asked.stdin.read_chunk()) is not None:
        data += piece
    await asked.stdout.write(data.hex().encode())
    return 0


async def endless(asked: Any) -> int:
    while True:
        await asked.stdout.write(b"y\n" * 1000)


def test_pipes_between_added_commands_are_byte_exact() -> None:
    made = engine(every=every_byte, hexed=in_hex)
    assert printed(made, "every | hexed")[0] == bytes(range(256)).hex().encode()


def test_a_pipe_ends_its_writer_when_its_reader_is_gone() -> None:
    made = engine(endless=endless)
    assert printed(made, "endless 2> /dev/null | head -n 1")[0] == b"y\n"


@pytest.mark.parametrize("name", ["ls", "cat", "echo", "cd", "[", "test", "printf", "true"])
def test_an_added_command_stands_before_the_engine_s_own(name: str) -> None:
    async def ours(asked: Any) -> int:
        await asked.stdout.write(b"ours")
        return 0

    words = "[ x ]" if name == "[" else name
    assert printed(engine(**{name: ours}), words) == (b"ours", 0)


@pytest.mark.parametrize("name", ["eval", "exec", "source", "export", "declare", "unset", "let"])
def test_the_language_s_own_commands_cannot_be_replaced(name: str) -> None:
    async def ours(asked: Any) -> int:
        await asked.stdout.write(b"ours")
        return 0

    assert name in STATEFUL <= LANGUAGE
    assert b"ours" not in printed(engine(**{name: ours}), f"{name} x=1")[0]


def test_a_command_is_told_its_words_exported_variables_and_directory() -> None:
    async def show(asked: Any) -> int:
        told = (asked.name, asked.argv, asked.env.get("A"), asked.env.get("B"), asked.cwd)
        await asked.stdout.write(repr(told).encode())
        return 0

    script = "cd /tmp; export A=1; B=2; show 'a b' $B"
    assert printed(engine(show=show), script)[0] == b"('show', ['a b', '2'], '1', None, '/tmp')"


def test_a_process_substitution_is_a_file_of_the_command_s_file_system() -> None:
    async def show(asked: Any) -> int:
        await asked.stdout.write(asked.fs.read_file(asked.argv[0]))
        return 0

    assert printed(engine(show=show), "show <(echo hi)")[0] == b"hi\n"


def test_a_group_shares_its_input() -> None:
    assert printed(engine(hexed=in_hex), "{ read x; echo $x; hexed; } <<< $'1\\n2'")[0] == (
        b"1\n" + b"2\n".hex().encode()
    )


def test_a_snapshot_restores_variables_functions_and_directory() -> None:
    made = engine()
    script = "cd /tmp; x=1; export y=2; a=(1 2); declare -A m=([k]=v); f() { echo $1; }"
    made.execute_sync(script)
    other = engine()
    other.restore_snapshot(made.snapshot(exclude_filesystem=True))
    shown = other.execute_sync("pwd; echo $x $y ${a[1]} ${m[k]}; f 7")
    assert shown.stdout == "/tmp\n1 2 2 v\n7\n"


@pytest.mark.parametrize(
    ("script", "sign"),
    [
        ("f() { f; }; f", "function depth"),
        ("echo {1..200000}", "brace range too large"),
        ("echo " + "a" * 10_000_001, "input too large"),
    ],
)
def test_a_limit_is_an_error_and_not_less_output(script: str, sign: str) -> None:
    result = engine().execute_sync(script)
    assert sign in (result.error or "")


def test_an_interactive_instance_has_no_cap_on_runs_and_loops() -> None:
    made = engine()
    for _ in range(1100):
        assert made.execute_sync("true").exit_code == 0
    assert made.execute_sync("for ((i = 0; i < 120000; i++)); do :; done; echo $i").stdout == (
        "120000\n"
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("if true", "parse error at line 2, column 1: syntax error: unexpected end of file"),
        ("echo )", "parse error at line 1, column 6: syntax error near unexpected token"),
        ('echo "a', "parse error at line 1, column 6: unexpected EOF"),
    ],
)
def test_a_text_is_analysed_without_running_it(script: str, message: str) -> None:
    with pytest.raises(BashError, match=message):
        engine().analyze(script)


class OneFile:
    """A file system with one file, `/f`."""

    def __init__(self) -> None:
        self.data = b"data\xff\n"
        self.asked: list[str] = []

    def stat(self, path: str) -> EngineStat:
        self.asked.append(path)
        if path == "/":
            return EngineStat(DIRECTORY, 0, 0o755, 0)
        if path != "/f":
            raise FileNotFoundError(2, "No such file or directory")
        return EngineStat(FILE, len(self.data), 0o644, 0)

    def read_file(self, path: str) -> bytes:
        self.stat(path)
        return self.data

    def write_file(self, path: str, data: bytes) -> None:
        self.data = data

    def read_dir(self, path: str) -> list[tuple[str, EngineStat]]:
        return [("f", self.stat("/f")), ("\udcff", self.stat("/f"))]

    def exists(self, path: str) -> bool:
        return path in ("/", "/f")

    def __getattr__(self, name: str) -> Any:
        def unsupported(*_: object) -> None:
            raise OSError(38, "Function not implemented")

        return unsupported


def test_the_capsule_is_a_file_system() -> None:
    files = OneFile()
    table = FileTable(files, lambda error: str(getattr(error, "strerror", error)))
    made = engine(hexed=in_hex)
    made.mount("/", FileSystem.from_capsule(table.capsule()))
    assert printed(made, "hexed < /f; echo; echo new > /f; cd /; echo *")[0] == (
        b"data\xff\n".hex().encode() + "\nf \U0010ffff\n".encode()
    )
    assert printed(made, "cat < /nope") == (
        b"bash: line 1: /nope: No such file or directory\n",
        1,
    )
    assert files.data == b"new\n"

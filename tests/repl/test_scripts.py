"""Shell scripts on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vshell.repl.scripts import Script, find_script, is_flags, leading


def vshell(
    directory: Path, *words: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "vshell.repl.cli", *words],
        input=stdin,
        cwd=directory,
        env={"PATH": "/usr/bin:/bin", "VSHELL_WORKSPACE": str(directory / "w.db"), **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_c_runs_a_script_and_passes_its_exit_code(tmp_path: Path) -> None:
    done = vshell(tmp_path, "-c", "echo out; echo err >&2; cat > f; exit 3", stdin=b"data\xff")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert vshell(tmp_path, "read-bytes", "/f").stdout == b"data\xff"


@pytest.mark.slow
def test_c_takes_a_name_and_arguments(tmp_path: Path) -> None:
    done = vshell(tmp_path, "-lc", 'echo "$0|$1|$#"', "name", "a b", "c")
    assert done.stdout == b"name|a b|2\n"


@pytest.mark.slow
def test_a_file_of_the_host_is_a_script(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text('#!/usr/bin/env vshell\necho "$1"; cat\n')
    assert vshell(tmp_path, "s.sh", "first", stdin=b"in\n").stdout == b"first\nin\n"


@pytest.mark.slow
def test_a_script_knows_that_it_is_not_sourced(tmp_path: Path) -> None:
    text = '[[ "${BASH_SOURCE[0]}" == "$0" ]] && echo "main $0 $LINENO"\nnone\n'
    (tmp_path / "s.sh").write_text("#!/bin/bash\n" + text)
    done = vshell(tmp_path, "./s.sh")
    assert done.stdout == b"main ./s.sh 2\n"
    assert done.stderr == b"./s.sh: line 3: none: command not found\n"


@pytest.mark.slow
def test_what_is_no_script_is_refused_as_bash_does(tmp_path: Path) -> None:
    done = vshell(tmp_path, "-c", "if")
    assert done.returncode == 2
    assert done.stderr.endswith(b"syntax error: unexpected end of file\n")


@pytest.mark.slow
def test_standard_input_is_a_script(tmp_path: Path) -> None:
    assert vshell(tmp_path, stdin=b"echo from; echo input; exit 2").returncode == 2


@pytest.mark.slow
def test_a_session_lasts_from_one_process_to_the_next(tmp_path: Path) -> None:
    vshell(tmp_path, "-c", "cd /tmp; x=1", VSHELL_SESSION="main")
    assert vshell(tmp_path, "--session", "main", "-c", "pwd; echo $x").stdout == b"/tmp\n1\n"


@pytest.mark.slow
def test_nothing_of_the_host_is_passed_on_but_what_is_named(tmp_path: Path) -> None:
    done = vshell(
        tmp_path, "-c", "echo [$SECRET] [$WANTED]", SECRET="s", WANTED="w", VSHELL_ENV="WANTED"
    )
    assert done.stdout == b"[] [w]\n"


@pytest.mark.slow
def test_it_can_be_the_shell_of_other_tools(tmp_path: Path) -> None:
    done = vshell(tmp_path, "--json", "-c", "echo hi; false")
    assert done.returncode == 1
    assert json.loads(done.stdout)["stdout"] == "hi\n"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("-c", True),
        ("-lc", True),
        ("-ic", True),
        ("-s", True),
        ("-w", False),
        ("--json", False),
        ("-", False),
        ("c", False),
        ("-cx", False),
    ],
)
def test_options_that_shells_have_are_known(word: str, expected: bool) -> None:
    assert is_flags(word) is expected


def test_global_options_stand_before_those_of_the_shell() -> None:
    assert leading(["-w", "-c", "-c", "x"], {"-w"}) == 2
    assert leading(["--json", "ls", "-l"], {"-w"}) == 3


def test_a_subcommand_is_no_script() -> None:
    assert find_script(["ls", "-c"], {"ls"}) is None
    assert find_script(["-c", "ls", "n", "a"], {"ls"}) == Script("ls", ("n", "a"))

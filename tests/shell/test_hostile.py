"""Lines that mean harm: each is contained, the host answers, and the next command works."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.shell.shell import Shell

TIMEOUT_S = 1.0

LINES = {
    "a fork bomb": ":(){ :|:& };:",
    "a loop": "while :; do :; done",
    "a loop of our commands": "while :; do basename a; done > /dev/null",
    "a long brace range": "echo {1..100000000}",
    "many braces": "echo " + "{a,b}" * 20,
    "doubling": "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
    "doubling an array": 'a=(1 2 3 4); while :; do a=("${a[@]}" "${a[@]}"); done',
    "a wide number": "printf %999999999d 1",
    "yes": "yes > /dev/null",
    "yes to us": "yes",
    "zeros": "cat /dev/zero > /dev/null",
    "zeros to us": "cat /dev/zero",
    "nested substitution": "echo " + "$(echo " * 200 + "x" + ")" * 200,
    "nested subshells": "(" * 500 + "echo x" + ")" * 500,
    "nested arithmetic": "echo $((" + "(" * 5000 + "1" + ")" * 5000 + "))",
    "nested groups": "{ " * 3000 + "echo x; " + "}; " * 3000,
    "nested ifs": "if true; then " * 2000 + "echo x; " + "fi; " * 2000,
    "recursion": "f() { f; }; f",
    "mutual recursion": "f() { g; }; g() { f; }; f",
    "recursion by eval": 'f="eval \\"\\$f\\""; eval "$f"',
    "recursion by source": "echo 'source /s' > /s; source /s",
    "recursion by script": "echo './s' > /s; chmod +x /s; cd /; ./s",
    "recursion by alias": "shopt -s expand_aliases; alias a='b a'; alias b='a b'; a",
    "a long line": "echo " + "word " * 300_000,
    "a regex bomb in grep": "echo " + "a" * 40 + "! | grep -E '^(a+)+$'",
    "a regex bomb in sed": "echo " + "a" * 40 + "! | sed -E 's/^(a+)+$/x/'",
    "a regex bomb in awk": "echo " + "a" * 40 + "! | awk '/^(a+)+$/'",
    "a regex bomb in [[": "[[ " + "a" * 40 + "! =~ ^(a+)+$ ]]",
    "a regex bomb by size": "[[ a =~ " + "(" * 30 + "a{100}" + "){100}" * 30 + " ]]",
    "a glob bomb": "case " + "a" * 100 + " in " + "*a" * 40 + "b) ;; esac",
    "a regex bomb in grep -P": "echo " + "a" * 40 + "! | grep -P '^(a+)+$'",
    "a regex bomb in grep -o": "echo " + "a" * 40 + "! | grep -oE '(a|aa)+b|(x+x+)+y'",
    "a look-behind bomb": "echo " + "a" * 60 + " | grep -P '(?<=(a|aa|aaa){50})b'",
    "a back-reference bomb": "echo " + "a" * 60 + " | grep -E '^(a*)*\\1\\1b$'",
    "a regex bomb in rg": "echo " + "a" * 40 + "! > /r; rg '^(a+)+$' /r; rg -P '^(a+)+$' /r",
    "a regex bomb in find": "touch /" + "a" * 60 + "; find / -regex '.*\\(a*\\)*\\1b'",
    "a regex bomb in expr": "expr " + "a" * 40 + "! : '\\(a*\\)*b'",
    "a regex bomb in csplit": "echo " + "a" * 40 + "! | csplit - '/^\\(a*\\)*\\1b/'",
    "a regex bomb in gsub": 'awk \'BEGIN { s = sprintf("%60s", ""); gsub(/( +)+x/, "", s) }\'',
    "a regex bomb in jq": "echo '\"" + "a" * 40 + "!\"' | jq 'test(\"^(a+)+$\")'",
    "a name glob bomb": "touch /" + "a" * 100 + "; ls /" + "*a" * 30 + "b",
    "a find glob bomb": "touch /" + "a" * 100 + "; find / -name '" + "*a" * 30 + "b'",
    "an extglob bomb in names": "touch /" + "a" * 60 + "; ls /+(+(a|aa))b",
    "an extglob bomb in a case": "case " + "a" * 60 + "b in *(*(a)|a)c) ;; esac",
    "an extglob bomb in a trim": "x=" + "a" * 2000 + "; echo ${x##*(*(a)b)} | wc -c",
    "jq that recurses": "jq -n 'def f: f; f'; jq -n '[limit(1e9; repeat(1))] | length'",
    "jq and deep JSON": "printf '[%.0s' {1..20000} > /j; jq . /j; jq -n input /j; yq . /j",
    "jq and a deep path": "jq -n '[range(20000)] as $p | null | setpath($p; 1) | tojson'",
    "yq and aliases": "printf 'a: &a [x,x]\\nb: &b [*a,*a]\\nc: [*b,*b]\\n' | yq .",
    "a bomb in gzip": "head -c 50000000 /dev/zero | gzip | gzip > /z; zcat /z | zcat | wc -c",
    "a wide sort": "yes | head -c 30000000 | sort | uniq -c",
    "bc that recurses": "echo 'define f(x) { return f(x+1) } f(1)' | bc",
    "sed for ever": "echo a | sed ':a; s/a/aa/; ta'",
    "a thousand pipes": "echo x" + " | cat" * 1000,
    "jobs that write": "for i in {1..500}; do (echo $i > /job$i) & done; wait",
    "xargs without end": "yes | xargs -n 1 echo > /dev/null",
    "a huge read": "read -n 999999999 x < /dev/zero; echo ${#x}",
    "a sparse file": "truncate -s 60G /t; wc -c /t; cat /t > /dev/null",
    "an extglob bomb": "shopt -s extglob\n[[ " + "a" * 60 + "b == +(+(a)) ]]",
    "replacing by a glob bomb": "x=" + "a" * 200 + "; echo ${x//" + "*a" * 20 + "b/}",
    "jq that crashes": "jq -nc 'reduce range(9999) as $_ ([];[.])|tojson|length'",
    "jq that nests": "jq -nc '" + "[" * 5000 + "'",
    "a thousand background jobs": "for i in {1..2000}; do sleep 100 & done; wait",
    "a job that stays": "sleep 1000 & disown",
    "awk for ever": "awk 'BEGIN { while (1); }'",
    "awk that recurses": "awk 'function f(x) { return f(x) } BEGIN { f(1) }'",
    "bc for ever": "echo 'while (1) {}' | bc",
    "a large exponent": "echo $((2**63)); echo '9^9^9' | bc",
    "division by zero": "echo $((1 / 0)); echo $((-9223372036854775808 / -1))",
    "a million files": "for ((i = 0; ; i++)); do echo > /f$i; done",
    "a deep directory": "while mkdir d 2> /dev/null && cd d; do :; done",
    "a long name": "touch " + "n" * 300,
    "a long path": "mkdir -p " + "d/" * 3000,
    "NUL": "printf 'a\\0b' | cat; echo $'a\\0b'",
    "kill the host": f"kill -9 {os.getpid()} {os.getppid()} -1 1 0",
    "kill itself": "kill -9 $$; kill -SEGV 0",
    "exec": "exec sleep 0; echo on",
    "ulimit": "ulimit -v 1; ulimit -t 0; ulimit -n 0; echo on",
    "trap everything": "trap '' INT TERM KILL EXIT HUP; while :; do :; done",
    "exit in a trap": "trap 'exit 3' EXIT; exit 4",
    "its own descriptors": "exec 1>&-; exec 2>&-; echo on; exec 99999>/x",
    "closing input": "exec 0<&-; cat; read x",
    "a here-document without end": "cat <<E\n" + "x\n" * 100_000,
    "much that is looked for": "[[ " + "-o a " * 50_000 + "; " + "((x=01 " * 20_000,
    "much that opens": "b=(" * 20_000 + '"${a[@]%x}"' + "{ head -1 " * 20_000 + "(umask 0 " * 9_000,
    "bytes": "\udcff\udcfe | \udc80",
    "unset everything": "unset PATH HOME PWD; cd; pwd; ls /; IFS=x; readonly PATH",
    "shopt everything": "set -o noexec -o nounset -o errexit -o pipefail; echo on",
}


@pytest.fixture(scope="module")
def home() -> Iterator[Workspace]:
    with Workspace.memory(quota_bytes=256 * 1024**2) as workspace:
        yield workspace


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_hostile_line_is_contained(home: Workspace, line: str) -> None:
    limits = {
        "timeout_s": TIMEOUT_S,
        "max_output_bytes": 1024**2,
        "max_total_output_bytes": 64 * 1024**2,
        "max_memory_bytes": 512 * 1024**2,
    }
    with home.shell(limits=limits) as shell:
        shell.run("kept=1")
        started = time.monotonic()
        result = shell.run(line)
        assert time.monotonic() - started < TIMEOUT_S + 5
        if not result.truncated and result.exit_code not in (124, 125, 137, 139, 153):
            assert result.error is None
    home.write("/after", "the host answers")
    with home.shell() as shell:
        assert shell.run("echo next; pwd").stdout == b"next\n/\n"
    home.rm("/after")


SECRETS = [
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/1/environ",
    "/proc/self/maps",
    "/etc/hostname",
]


@pytest.mark.parametrize("path", SECRETS)
@pytest.mark.parametrize(
    "way",
    [
        "cat {0}",
        "cat < {0}",
        "cat /../../..{0}",
        "source {0}",
        "ln -s {0} /l; cat /l",
        "cp {0} /c; cat /c",
        "sort {0}",
        "awk 1 {0}",
        "mapfile a < {0}; echo ${{a[@]}}",
        "cat /tmp/../..{0}",
    ],
)
def test_no_file_of_the_host_can_be_read(
    workspace: Workspace, shell: Shell, path: str, way: str
) -> None:
    result = shell.run(way.format(path))
    assert result.exit_code != 0 or result.stdout.strip() == b""
    assert b"root" not in result.stdout


def test_nothing_of_the_host_s_environment_is_visible(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2")
    shown = shell.run("env; set; declare -p; cat /proc/self/environ; hostname; whoami").stdout
    assert b"hunter2" not in shown
    assert os.uname().nodename.encode() not in shown


@pytest.mark.parametrize("tool", ["curl", "wget", "http", "ssh", "nc", "sqlite3", "vi", "sudo"])
def test_there_is_no_network_and_no_terminal(shell: Shell, tool: str) -> None:
    result = shell.run(f"{tool} http://127.0.0.1:1/")
    assert result.exit_code == 127
    assert b"command not found" in result.stderr


def test_there_is_no_socket_behind_a_path(shell: Shell) -> None:
    assert shell.run("exec 3<>/dev/tcp/127.0.0.1/1").exit_code != 0
    assert shell.run("cat < /dev/udp/127.0.0.1/1").exit_code != 0


@pytest.mark.slow
def test_a_killed_worker_leaves_no_half_command(tmp_path: Path) -> None:
    """Kill the worker at any moment of 200 scripts: each command happened or did not."""
    chosen = random.Random(1)
    with Workspace.open(tmp_path / "w.db") as workspace, workspace.shell("main") as shell:
        workspace.mkdir("/d")
        for name in "abc":
            workspace.write(f"/d/{name}", "0\n")
        shell.run("cd /d; n=0; say() { echo $n; }")
        completed = 0
        for number in range(1, 201):
            worker = shell._take()
            shell._workers.give_back(id(shell), worker, shell._catch_up)
            killer = threading.Timer(chosen.uniform(0, 0.012), _kill, (worker.process_id,))
            killer.start()
            result = shell.run(
                f"n={number}; cp -r /d /e; mv /e/a /e/z; echo {number} > /d/a; "
                f"printf '%s\\n' {number} > /d/b; rm -r /e; say > /d/c"
            )
            killer.cancel()
            killer.join()
            assert result.exit_code in (0, 137), result
            _expect_whole(workspace)
            if result.exit_code == 0:
                completed = number
            shell.run(":")  # the signal may have come after the script had ended
            assert shell.run("echo $n; pwd").stdout == f"{completed}\n/d\n".encode()
            workspace.rm("/e", recursive=True, force=True)
        assert workspace.check().ok


def _kill(process_id: int) -> None:
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return


def _expect_whole(workspace: Workspace) -> None:
    texts = [workspace.read_text(f"/d/{name}") for name in "abc"]
    assert all(text.endswith("\n") and text.strip().isdigit() for text in texts), texts
    if workspace.exists("/e"):
        names = sorted(entry.name for entry in workspace.ls("/e").entries)
        assert names in (["a", "b", "c"], ["b", "c", "z"])

"""`awk`: what the real ones cannot show, or what must not depend on them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.shell.run_command import run_command
from vshell import Workspace
from vshell.shell.command import Executed
from vshell.shell.commands.awk.compiler import compile_program


@pytest.fixture(scope="module")
def home() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def awk(home: Workspace, *words: str, stdin: bytes = b"") -> Executed:
    return run_command(home, ["awk", *words], stdin)


# The language.


def test_bytes_that_are_no_text_stay_as_they_are(home: Workspace) -> None:
    program = '{ print length($0), $2; sub(/b/, "\\377"); print }'
    assert awk(home, program, stdin=b"a\xffb \xfe\n").stdout == b"5 \xfe\na\xff\xff \xfe\n"
    assert (
        awk(home, 'BEGIN { printf "\\303\\251"; print length("\\303\\251") }').stdout
        == b"\xc3\xa91\n"
    )
    assert awk(home, "{ print $1 }", stdin=b"a\0b c\n").stdout == b"a\0b\n"


def test_a_number_that_came_as_text_is_printed_as_it_came(home: Workspace) -> None:
    assert awk(home, "{ x = $1; print x, x + 0, x == 10 }", stdin=b"010\n").stdout == b"010 10 1\n"
    assert awk(home, '{ $1 = $1 ""; print ($1 < 9) }', stdin=b"10\n").stdout == b"1\n"


def test_the_right_side_of_an_assignment_comes_first(home: Workspace) -> None:
    assert awk(home, "BEGIN { x = 1; x += x += 2; print x }").stdout == b"6\n"
    program = "function f() { n = 10; return 1 } BEGIN { n = 1; n += f(); print n }"
    assert awk(home, program).stdout == b"11\n"


def test_variables_of_a_function_are_its_own_at_every_depth(home: Workspace) -> None:
    program = """
        function walk(n,  here, seen) {
            seen[n] = 1; here = n
            if (n) walk(n - 1)
            total += length(seen) + here
        }
        BEGIN { walk(3); print total }
    """
    assert awk(home, program).stdout == b"10\n"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("BEGIN { print (1 }", b"awk: cmd. line:1:                  ^ syntax error\n"),
        ('BEGIN { print "a }', b"awk: cmd. line:1:               ^ unterminated string\n"),
        ('@include "x"', b"awk: cmd. line:1: ^ @include is not supported\n"),
        (
            "BEGIN {\n x = 1\n print x / y }",
            b"awk: cmd. line:3: fatal: division by zero attempted\n",
        ),
        ("BEGIN { SYMTAB[1] }", b"awk: fatal: SYMTAB is not supported\n"),
        ("BEGIN { x[1]; x = 2 }", b"awk: fatal: attempt to use array `x' in a scalar context\n"),
        ("function f(f) { }", b"cannot use function name `f' as a parameter name\n"),
        ("BEGIN { next }", b"awk: fatal: `next' used in BEGIN action\n"),
    ],
)
def test_a_wrong_program_is_refused_with_its_line(
    home: Workspace, program: str, said: bytes
) -> None:
    done = awk(home, program)
    assert (done.exit_code, done.stdout) == (2, b"")
    assert done.stderr.endswith(said)


def test_the_place_in_a_file_of_the_program_is_told(home: Workspace) -> None:
    home.write("/one.awk", "function f(x) {\n return 1 / x\n}\n")
    home.write("/two.awk", "{\n\n f($1) }\n")
    done = awk(home, "-f", "/one.awk", "-f", "/two.awk", stdin=b"1\n0\n")
    said = b"awk: /one.awk:2: (FILENAME=- FNR=2) fatal: division by zero attempted\n"
    assert (done.exit_code, done.stderr) == (2, said)


def test_an_option_that_is_none_is_refused(home: Workspace) -> None:
    assert awk(home, "--nonsense", "1").stderr == b"awk: unrecognized option '--nonsense'\n"
    assert awk(home, "-v", "1x", "1").exit_code == 2
    assert awk(home).exit_code == 2
    assert b"Usage: awk" in awk(home, "--help").stdout
    assert b"GNU Awk" in awk(home, "--version").stdout


# Hostile programs.

DEEP = [
    "BEGIN { print " + "(" * 1000 + "1" + ")" * 1000 + " }",
    "BEGIN { print " + "- " * 5000 + "1 }",
    "BEGIN { print " + "+".join(["1"] * 5000) + " }",
    "BEGIN { " + "if (1) " * 1000 + "print }",
    "BEGIN { " + "{" * 1000 + "}" * 1000 + " }",
    "BEGIN { " + "for (;;) " * 40 + "break }",
    "BEGIN { x = " + "1 ? " * 1000 + "1" + " : 2" * 1000 + " }",
    "BEGIN { x" + "[x" * 1000 + "[1]" + "]" * 1000 + " = 1 }",
    "BEGIN { $" + "$" * 5000 + "1 = 1 }",
    "function f(n) { return f(n + 1) } BEGIN { f(1) }",
]


@pytest.mark.parametrize("program", DEEP, ids=lambda program: program[:30])
def test_what_is_nested_too_deeply_is_refused(home: Workspace, program: str) -> None:
    done = awk(home, program)
    assert done.exit_code == 2
    assert b"too deeply" in done.stderr or b"too many" in done.stderr


@pytest.mark.parametrize(
    "program",
    [
        'BEGIN { printf "%999999999d", 1 }',
        'BEGIN { printf "%*d", 999999999, 1 }',
        "BEGIN { $1e9 = 1 }",
        "BEGIN { NF = 1e9 }",
        "BEGIN { NF = -1 }",
        'BEGIN { print > "" }',
        'BEGIN { "" | getline }',
        'BEGIN { print |& "/inet/tcp/0/localhost/80" }',
        "BEGIN { print lshift(-1, 2) }",
        'BEGIN { print strftime("%Y", 1e300) }',
        'BEGIN { f = "exit"; @f() }',
        'BEGIN { f = "__import__"; @f("os") }',
    ],
)
def test_what_would_take_too_much_or_is_not_there_is_refused(home: Workspace, program: str) -> None:
    done = awk(home, program)
    assert (done.exit_code, done.stdout) == (2, b"")
    assert b"fatal: " in done.stderr


def test_programs_of_one_pipeline_leave_the_limit_of_recursion_as_it_was(home: Workspace) -> None:
    before = sys.getrecursionlimit()
    awk(home, 'BEGIN { "awk \\"{ exit 1 }\\" /none" | getline; system("awk 1 /none"); exit }')
    awk(home, "BEGIN { print 1 / 0 }")
    assert sys.getrecursionlimit() == before


def test_names_and_texts_of_a_program_are_never_python() -> None:
    program = """
        function exec(import, lambda) { return import + lambda }
        BEGIN { class = "'''\\n\\")"; None = exec(1, 2); def["__class__"] = None; print def[class] }
    """
    compiled = compile_program(program, frozenset())
    names = set(compiled.code.co_names)
    assert names == {"f_exec", "begin"}
    assert not names & set(dir(ast))


# Files, commands and the shell.


def test_files_are_written_and_read_through_the_workspace(home: Workspace) -> None:
    home.write("/in", "a 1\nb 2\na 3\n")
    done = awk(home, '{ print $2 > ("/out-" $1) } END { print "x" >> "/in" }', "/in")
    assert (done.exit_code, home.read_text("/out-a"), home.read_text("/in")[-2:]) == (
        0,
        "1\n3\n",
        "x\n",
    )
    names = {change.operation for change in home.changes(path="/out-b").changes}
    assert names == {"awk"}


def test_a_file_that_was_not_read_is_not_overwritten(home: Workspace) -> None:
    home.write("/kept", "old\n")
    session = home.session("careful", require_read=True)
    done = run_command(session, ["awk", 'BEGIN { print "new" > "/kept" }'])
    assert (done.exit_code, home.read_text("/kept")) == (2, "old\n")
    assert run_command(session, ["awk", "{ print }", "/kept"]).stdout == b"old\n"
    assert run_command(session, ["awk", 'BEGIN { print "new" > "/kept" }']).exit_code == 0
    assert home.read_text("/kept") == "new\n"


def test_files_are_edited_in_place(home: Workspace) -> None:
    home.write("/p", "a\nb\n")
    home.write("/q", "c\n")
    done = awk(home, "-i", "inplace", '{ print FNR, $0 } END { print "end" }', "/p", "/q")
    assert (done.stdout, home.read_text("/p"), home.read_text("/q")) == (
        b"end\n",
        "1 a\n2 b\n",
        "1 c\n",
    )


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("yes | awk '{ print NR } NR == 3 { exit }'", b"1\n2\n3\n"),
        ("awk 'BEGIN { while (1) print \"y\" }' | head -2", b"y\ny\n"),
        ("seq 3 | awk '{ print | \"sort -rn | head -2\" }'", b"3\n2\n"),
        ("awk 'BEGIN { while ((\"seq 2; echo $HOME\" | getline x) > 0) print x }'", b"1\n2\n/h\n"),
        ("awk 'BEGIN { print system(\"cd /; pwd; exit 3\") }'", b"/\n3\n"),
        (
            'awk \'BEGIN { print "b\\na" |& "sort"; while (("sort" |& getline x) > 0) print x }\'',
            b"a\nb\n",
        ),
        ("awk 'BEGIN { print ENVIRON[\"HOME\"] }'", b"/h\n"),
        ("awk -f /dev/stdin <<< 'BEGIN { print 7 }'", b"7\n"),
        ("printf '#!/usr/bin/awk -f\\n{ print $2 }' > p; chmod +x p; echo a b | ./p", b"b\n"),
        ("for name in awk gawk mawk nawk; do $name 'BEGIN { printf 1 }'; done", b"1111"),
        ("awk 'BEGIN { exit 7 }' || echo $?", b"7\n"),
        ("awk '{ print $1 }' <(echo x y)", b"x\n"),
    ],
)
def test_it_works_with_the_shell_around_it(line: str, printed: bytes) -> None:
    with Workspace.memory() as workspace:
        session = workspace.session("test", environment={"HOME": "/h", "LC_ALL": "C.UTF-8"})
        with session.shell() as shell:
            done = shell.run(line, timeout_s=20)
    assert (done.stdout, done.stderr) == (printed, b"")


def test_rules_hold_for_what_a_program_runs_and_reads() -> None:
    rules = {"deny": ["rm *"], "hidden": ["/secret"], "read_only": ["/fixed"]}
    with Workspace.memory() as workspace:
        workspace.write("/secret", "s\n")
        workspace.write("/fixed", "f\n")
        with workspace.shell(rules=rules) as shell:
            done = shell.run(
                'awk \'BEGIN { print system("rm /fixed"), (getline x < "/secret"), x }\''
            )
            assert done.stdout == b"126 -1 \n"
            assert shell.run("awk 'BEGIN { print 1 > \"/fixed\" }'").exit_code == 2
        assert workspace.read_text("/fixed") == "f\n"


def test_a_program_that_takes_all_memory_ends_alone() -> None:
    limits = {"max_memory_bytes": 128 * 1024**2, "timeout_s": 30}
    with Workspace.memory() as workspace, workspace.shell(limits=limits) as shell:
        shell.run("kept=1")
        done = shell.run("awk 'BEGIN { x = \"a\"; while (1) x = x x }'")
        assert done.exit_code in (2, 137)
        assert shell.run("echo $kept").stdout == b"1\n"

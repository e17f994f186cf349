"""What the text of a script is changed to; that it then does as bash, `test_same_as_bash` says."""

from __future__ import annotations

import pytest

from vshell.shell.rewriting import FUNCTIONS, joined_lines, rewritten, with_functions

SAME = (
    "echo 'a=010 [[ -o x ]]' \"local -\"; # trap 'exit 1' ERR",
    "cat <<'E'\nx=010; echo $((x))\n{ head -1; } < f\n(umask 077)\nE",
    "x=10; echo $((x + 1)); local x; trap 'echo failed' ERR",
    'for x in "${a[@]%.txt}"; do b=("${a[@]}"); done',
    "[ -o errexit ] && [ a -o b ] || (head -1; cat) | sort",
    "command -v ls; type cat; hash -r; export -f; umask",
    "exec 3>&1; echo $((010)) ${x:-010}",
)


@pytest.mark.parametrize("script", SAME)
def test_what_needs_no_change_is_passed_on_as_it_is(script: str) -> None:
    assert rewritten(script) == script


def test_options_in_conditions() -> None:
    assert rewritten("[[ ! -o noglob && -n x ]]") == "[[ ! :$SHELLOPTS: == *:noglob:* && -n x ]]"


def test_numbers_with_a_leading_zero() -> None:
    assert rewritten("x=010; echo $((x + 1)) $((x++))") == "x=010; echo $((($x) + 1)) $((x++))"


def test_lines_keep_their_numbers() -> None:
    script = 'f() {\n local -\n b=(\n"${a[@]%.txt}"\n z)\n}\n(umask 077; echo)\ntype curl\n'
    changed = rewritten(script)
    assert changed != script
    assert changed.count("\n") == script.count("\n")


def test_children_are_told_of_exported_functions() -> None:
    assert FUNCTIONS in rewritten("f() { :; }; export -f f")
    assert with_functions("bash -c 'f 1'") == f"bash -c \"${{{FUNCTIONS}-}}\"'f 1'"
    assert with_functions("echo bash -x; ./bash -c x") == "echo bash -x; ./bash -c x"


def test_joined_lines_leave_quotes_alone() -> None:
    assert joined_lines("c\\\na\\\nse 'a\\\nb' e\\\nf") == "case 'a\\\nb' ef"


def test_commands_in_back_quotes_inside_quotes() -> None:
    assert rewritten('test x"`echo b`" = xb') == 'test x"$( echo b )" = xb'
    assert rewritten('a="`echo \\$y \\"q\\"`"c') == 'a="$( echo $y "q" )"c'
    for same in ("echo '\"`x`\"' `y`", 'echo "\\`x\\`"', "cat <<'E'\n\"`x`\"\nE", '# "`x`"'):
        assert rewritten(same) == same

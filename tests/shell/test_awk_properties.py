"""`awk`: whatever a program does, it ends with an exit code of awk's, and never inside Python."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.run_command import run_command
from vshell import Workspace
from vshell.shell.commands.awk.lexer import BUILTINS

_VALUES = """
1 -1 0 1e300 -log(0) log(-1) "+nan" "" "a" "(" "[a-" /a*/ x $1 $0 NF a[1] "%d_%c_%s" "g" 3.7 "\\\\1&"
-2^63 2^64 z FS ($2=5) (RS="a") NR "10" a[$1] i++ (x=$1) (getline) (getline_y) ("cat_/d"|getline)
"""
VALUES = _VALUES.split()
OPERATORS = ["+", "-", "*", "/", "%", "^", "<", "==", "!=", ">=", "&&", "||", " ", "~"]
_TARGETS = """
x y $1 $NF a[1] a[x,2] b[$1] NF FS OFS CONVFMT $3 IGNORECASE SUBSEP RS OFMT FPAT NR FIELDWIDTHS
"""
TARGETS = _TARGETS.split()
ARRAYS = {"split": (1, 3), "patsplit": (1, 3), "match": (2,), "asort": (0, 1), "asorti": (0, 1)}


@st.composite
def calls(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(set(BUILTINS) - {"system", "close"})))
    least, most = BUILTINS[name]
    values = draw(st.lists(st.sampled_from(VALUES), min_size=least, max_size=min(most, 4)))
    for place in ARRAYS.get(name, ()):
        if place < len(values):
            values[place] = draw(st.sampled_from("abc"))
    if name in ("sub", "gsub") and len(values) == 3:
        values[2] = draw(st.sampled_from(["x", "$1", "$0", "a[1]", "z"]))
    return f"{name}({', '.join(values)})".replace("_", " ")


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(OPERATORS), inner).map(
        lambda each: f"({' '.join(each)})"
    )
    choices = st.tuples(inner, inner, inner).map(lambda each: "({} ? {} : {})".format(*each))
    return pairs | choices


EXPRESSIONS = st.recursive(
    st.sampled_from(VALUES).map(lambda value: value.replace("_", " ")) | calls(),
    combined,
    max_leaves=8,
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    value, other = draw(EXPRESSIONS), draw(EXPRESSIONS)
    target = draw(st.sampled_from(TARGETS))
    forms = [
        f"print {value}, {other}",
        f"{target} = {value}",
        f"{target} {draw(st.sampled_from('+-*/%^'))}= {value}",
        f"{target}++",
        f"if ({value}) print {other}; else {target} = 2",
        "for (k in a) print k, a[k]",
        f"printf {value}, {other}, {value}",
        f"delete a[{value}]",
        f"switch ({value}) {{ case 1: print 1; case /x/: break; default: print {other} }}",
    ]
    return draw(st.sampled_from(forms))


PATTERNS = st.sampled_from(["BEGIN", "", "END", "$1 > 0", "/a/", "/a/, NR == 3"])


@cache
def home() -> Workspace:
    workspace = Workspace.memory()
    workspace.write("/d", "a 1\n-5 x\n\n1e400 +nan\n")
    return workspace


@given(pattern=PATTERNS, body=st.lists(statements(), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_any_program_ends_with_an_exit_code_of_awk(pattern: str, body: list[str]) -> None:
    done = run_command(home(), ["awk", f"{pattern} {{ {'; '.join(body)} }}", "/d"])
    assert done.exit_code in (0, 2)
    assert done.exit_code == 0 or done.stderr.startswith(b"awk: ")

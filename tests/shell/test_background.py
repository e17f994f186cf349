"""Lists in the background are one command each."""

from __future__ import annotations

import pytest

from vshell.shell.background import whole_lists

LISTS = {
    "a && b & wait": "{ a && b; } & wait",
    "a && b || c | d > f 2>&1 &\nx & y && z": "{ a && b || c | d > f 2>&1; } &\nx & y && z",
    "x=$(a && b &) && c & d": "{ x=$({ a && b; } &) && c; } & d",
    "case x in a) b && c & ;; esac": "case x in a) { b && c; } & ;; esac",
    "for i in 1 2; do a && b & done": "for i in 1 2; do { a && b; } & done",
    "  a &&\n b &\nc": "  { a &&\n b; } &\nc",
}
SAME = [
    "a & b && c",
    "if x && y; then z; fi && w &",
    "(a && b) & { c && d; } & ((e && f)) &",
    "echo 'a && b &' \"a && b &\" # a && b &",
    "while a && b; do c; done & wait",
    "a >&2 && b &> f",
]


@pytest.mark.parametrize("script", LISTS)
def test_a_list_becomes_one_command(script: str) -> None:
    assert whole_lists(script) == LISTS[script]


@pytest.mark.parametrize("script", SAME)
def test_what_is_one_command_stays(script: str) -> None:
    assert whole_lists(script) == script

"""Whatever form a model gives its code, engines get the same."""

from __future__ import annotations

import pytest

from vshell.errors import RangeError, TooLargeError
from vshell.script.source import MAX_SOURCE_BYTES, language_of, normalise

PYTHON = {
    "an expression": ("1 + 1", "1 + 1"),
    "statements": ("a = 1\na + 1", "a = 1\na + 1"),
    "a fence": ("Here it is:\n```python\nx = 1\nx\n```\nDone.", "\n\nx = 1\nx\n"),
    "a fence without an end": ("```\nx = 1\nx", "\nx = 1\nx"),
    "a function": ("def main():\n    return 1\n", "def main():\n    return 1\n\nmain()"),
    "a coroutine": (
        "async def work(state):\n    return 1",
        "async def work(state):\n    return 1\n\nawait work(state)",
    ),
    "a main before others": (
        "def main(): return helper()\ndef helper(): return 1",
        "def main(): return helper()\ndef helper(): return 1\n\nmain()",
    ),
    "a function that is called": (
        "def main(): return 1\nprint(main())",
        "def main(): return 1\nprint(main())",
    ),
    "a function by its name": (
        "def work(fs): return 1\nwork",
        "def work(fs): return 1\nwork(state)",
    ),
    "a lambda": ("lambda: 1", "(lambda: 1)()"),
    "a lambda of the state": (
        "lambda state: state.glob('*')",
        "(lambda state: state.glob('*'))(state)",
    ),
    "a guard": (
        "def main():\n    return 1\n\nif __name__ == '__main__':\n    main()\n",
        "def main():\n    return 1\n\n\nmain()\n",
    ),
    "a guard on one line": (
        'def main(): return 1\nif __name__ == "__main__": main()',
        "def main(): return 1\nmain()",
    ),
    "a return": ("\nx = 1\nreturn x", "async def main():\n x = 1\n return x\n\nawait main()"),
    "a return after a text of lines": (
        '#\nx = """a\n  b"""\nreturn x',
        'async def main():\n x = """a\n  b"""\n return x\n\nawait main()',
    ),
    "a margin": ("    x = 1\n    x\n", "x = 1\nx\n"),
    "inputs": (
        "def main(name, state, *, count, other=2): return 1",
        "def main(name, state, *, count, other=2): return 1\n\nmain(name, state, count=count)",
    ),
    "inputs after a default": (
        "def main(state, other=2, name=3): return 1",
        "def main(state, other=2, name=3): return 1\n\nmain(state, name=name)",
    ),
    "all inputs": ("def main(**given): return 1", "def main(**given): return 1\n\nmain(**inputs)"),
    "an error": ("def main(:", "def main(:"),
    "nothing": ("", ""),
    "lines of Windows": ("x = 1\r\nx\r\n", "x = 1\nx\n"),
}
JAVASCRIPT = {
    "an arrow function": ("async () => 1;\n", "async () => 1"),
    "a fence": ("```js\n() => 1\n```", "\n() => 1"),
    "a default export": ("export default async () => 1", " async () => 1"),
    "a main": (
        "const a = 1;\nasync function main() { return a; }",
        "const a = 1;\nasync function main() { return a; }\n;main(state, inputs)",
    ),
    "a main that is called": (
        "async function main() { return 1; }\nmain();",
        "async function main() { return 1; }\nmain()",
    ),
}


@pytest.mark.parametrize(("given", "wanted"), PYTHON.values(), ids=PYTHON.keys())
def test_python_is_normalised(given: str, wanted: str) -> None:
    assert normalise(given, "python", inputs=["name", "count"]).text == wanted


@pytest.mark.parametrize(("given", "wanted"), JAVASCRIPT.values(), ids=JAVASCRIPT.keys())
def test_javascript_is_normalised(given: str, wanted: str) -> None:
    assert normalise(given, "javascript").text == wanted


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("x", "a.py", "python"),
        ("x", "a.js", "javascript"),
        ("```js\nx\n```", None, "javascript"),
        ("```python\nx\n```", None, "python"),
        ("async () => 1", None, "javascript"),
        ("const x = 1", None, "javascript"),
        ("[x for x in state.glob('*')]", None, "python"),
        ("x = 1", "-", "python"),
    ],
)
def test_the_language_is_found(text: str, name: str | None, wanted: str) -> None:
    assert language_of(text, name=name) == wanted


@pytest.mark.parametrize(
    ("text", "loops"), [("1", False), ("[x for x in y]", True), ("while 1: pass", True)]
)
def test_loops_are_seen(text: str, loops: bool) -> None:
    assert normalise(text, "python").loops is loops


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "-" * 100_000 + "1",
        "x" + ".a" * 100_000,
        "x" + "+x" * 100_000,
        "[" * 20_000 + "]" * 20_000,
        "lambda:" * 50_000 + "1",
        "f'" + "{" * 50_000,
        "x = '''" + "\n" * 100_000,
        "\0",
        "\ud800",
        "if 1:\n" * 5000,
        "```a\n" * 50_000,
        "`" * 100_000 + "\n" + "~~~\n" * 50_000,
        "function main(" * 30_000,
    ],
    ids=range(14),
)
def test_a_hostile_source_does_not_hurt_the_host(text: str) -> None:
    normalise(text, "python")
    normalise(text, "javascript")
    language_of(text)


def test_a_source_has_a_limit() -> None:
    with pytest.raises(TooLargeError):
        normalise("#" * (MAX_SOURCE_BYTES + 1), "python")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(RangeError):
        normalise("x", "ruby")

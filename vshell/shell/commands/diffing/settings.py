"""What `diff` is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Invocation, Parsed, UsageError
from vshell.shell.command_io import open_input, to_bytes
from vshell.shell.commands.diff_formats import Style
from vshell.shell.comparing import Rules
from vshell.shell.messages import quote_if_needed, reason

_FUNCTION: Final = re.compile(rb"[A-Za-z_$]")
_LETTER_STYLES: Final = {
    "normal": "normal", "ed": "ed", "forward-ed": "forward", "rcs": "rcs",
    "side-by-side": "side", "ifdef": "ifdef", "u": "unified", "unified": "unified",
    "U": "unified", "c": "context", "context": "context", "C": "context",
}  # fmt: skip


def switches(words: Sequence[str], operands: Sequence[str]) -> str:
    """Return the command as it is shown before the differences of each file of a tree."""
    given = [word for word in words if word != "--"]
    for operand in operands:
        given.reverse()  # of two equal words, the operand is more likely the later one
        given.remove(operand)
        given.reverse()
    return " ".join(["diff", *(quote_if_needed(word, colon=False) for word in given)])


def style(call: Invocation) -> Style:
    parsed = call.parsed
    name, context = "", 3
    digits = ""
    for option, value in parsed.given:
        if option in _LETTER_STYLES:
            chosen = _LETTER_STYLES[option]
            if name and name != chosen:
                raise UsageError("conflicting output style options")
            name = chosen
            if option in ("U", "C", "unified", "context") and value is not None:
                context = _number(value, "context length")
        elif len(option) == 1 and option.isdigit():
            digits += option
            context = min(int(digits[:9]), 1 << 30)
    color = parsed.value("color", "always") if parsed.flag("color") else "never"
    if color not in ("always", "never", "auto"):
        raise UsageError(f"invalid color '{color}'")
    pattern = parsed.value("show-function-line")
    width = _number(parsed.value("width", "130") or "", "width")
    if not width:
        raise UsageError("invalid width '0'")
    function: object = None
    if pattern is not None:
        function = _regex(pattern)
    elif parsed.flag("show-c-function"):
        function = _FUNCTION.match
    return Style(
        name=name or ("context" if parsed.flag("show-c-function") else "normal"),
        context=context,
        function=function,
        width=width,
        left_column=parsed.flag("left-column"),
        suppresses_common=parsed.flag("suppress-common-lines"),
        expands_tabs=parsed.flag("expand-tabs"),
        initial_tab=parsed.flag("initial-tab"),
        suppresses_blank=parsed.flag("suppress-blank-empty"),
        tab=max(1, _number(parsed.value("tabsize", "8") or "", "tabsize")),
        symbol=to_bytes(parsed.value("ifdef", "") or ""),
        color=color == "always" or (color == "auto" and bool(call.services.get("terminal"))),
    )


def _number(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid {what} '{text}'")
    return min(int(text[:9]), 1 << 30)


def rules(parsed: Parsed) -> Rules:
    return Rules(
        ignore_case=parsed.flag("ignore-case"),
        ignore_all_space=parsed.flag("ignore-all-space"),
        ignore_space_change=parsed.flag("ignore-space-change"),
        ignore_trailing_space=parsed.flag("ignore-trailing-space"),
        ignore_tab_expansion=parsed.flag("ignore-tab-expansion"),
        ignore_blank_lines=parsed.flag("ignore-blank-lines"),
        strip_trailing_cr=parsed.flag("strip-trailing-cr"),
        ignore_matching=tuple(_regex(each) for each in parsed.values("ignore-matching-lines")),
    )


def _regex(pattern: str) -> Callable[[bytes], bool]:
    from vshell.text.posix_regex import PosixRegexError, compile_posix

    try:
        compiled = compile_posix(pattern)
    except PosixRegexError as error:
        raise UsageError(f"{pattern}: {error}", hint=False) from None

    def matches(line: bytes) -> bool:
        return compiled.search(line.decode("utf-8", "surrogateescape"), timeout=10) is not None

    return matches


def excluded(call: Invocation) -> list[str]:
    patterns = call.parsed.values("exclude")
    for name in call.parsed.values("exclude-from"):
        try:
            data = open_input(call, name).read()
        except VshellError as error:
            raise UsageError(f"{name}: {reason(error)}", hint=False) from None
        patterns += [line for line in data.decode("utf-8", "surrogateescape").splitlines() if line]
    return patterns

"""`tput`: what to send to a terminal, for those that understand what xterm does."""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, Option

_UNKNOWN_TERMINAL: Final = 3
_UNKNOWN_CAPABILITY: Final = 4
_COLUMNS: Final = 80
_LINES: Final = 24
_COLORS: Final = {"xterm": 8, "screen": 8, "tmux": 8, "linux": 8, "vt100": -1, "dumb": -1}
_TEXTS: Final = {
    "bold": "\x1b[1m", "dim": "\x1b[2m", "sitm": "\x1b[3m", "ritm": "\x1b[23m",
    "smul": "\x1b[4m", "rmul": "\x1b[24m", "blink": "\x1b[5m", "rev": "\x1b[7m",
    "invis": "\x1b[8m", "smso": "\x1b[7m", "rmso": "\x1b[27m", "sgr0": "\x1b(B\x1b[m",
    "clear": "\x1b[H\x1b[2J\x1b[3J", "home": "\x1b[H", "el": "\x1b[K", "el1": "\x1b[1K",
    "ed": "\x1b[J", "cuu1": "\x1b[A", "cub1": "\b", "cuf1": "\x1b[C", "cud1": "\n",
    "civis": "\x1b[?25l", "cnorm": "\x1b[?12l\x1b[?25h", "sc": "\x1b7", "rc": "\x1b8",
    "smcup": "\x1b[?1049h\x1b[22;0;0t", "rmcup": "\x1b[?1049l\x1b[23;0;0t", "cr": "\r",
    "bel": "\a", "ht": "\t", "op": "\x1b[39;49m",
}  # fmt: skip
_PARAMETERS: Final = {
    "cup": "\x1b[{0};{1}H", "hpa": "\x1b[{0}G", "vpa": "\x1b[{0}d", "cuu": "\x1b[{n}A",
    "cud": "\x1b[{n}B", "cuf": "\x1b[{n}C", "cub": "\x1b[{n}D", "ech": "\x1b[{n}X",
}  # fmt: skip
"""Texts with places, counted from 1 in what is sent, and with numbers."""
_DUMB: Final = {"bel": "\a", "cr": "\r", "cud1": "\n"}


def run_tput(call: Invocation) -> int:
    terminal = call.parsed.value("T") or call.environment.get("TERM", "")
    if not terminal:
        call.complain("No value for $TERM and no -T specified")
        return 2
    family, _, variant = terminal.partition("-")
    if family not in _COLORS:
        call.complain(f'unknown terminal "{terminal}"')
        return _UNKNOWN_TERMINAL
    colors = 256 if variant.startswith("256color") else _COLORS[family]
    lines = [call.operands]
    if call.parsed.flag("S"):
        text = call.stdin.read().decode("utf-8", "replace")
        lines = [tuple(line.split()) for line in text.splitlines()]
    status = 0
    for words in lines:
        if words:
            status = _put(call, words, colors, is_dumb=family == "dumb")
    return status


def _put(call: Invocation, words: tuple[str, ...], colors: int, *, is_dumb: bool) -> int:
    name, *rest = words
    numbers = [int(word) if word.isdigit() and len(word) < 6 else 0 for word in rest]
    sizes = {"cols": _COLUMNS, "lines": _LINES, "colors": colors}
    if name in sizes:
        size = call.environment.get({"cols": "COLUMNS", "lines": "LINES"}.get(name, ""), "")
        call.write(f"{size if size.isdigit() else sizes[name]}\n")
        return 0
    if name in ("setaf", "setab"):
        if colors < 0:
            return 1
        call.write(_color(numbers[0] if numbers else 0, colors, background=name == "setab"))
        return 0
    known = _TEXTS.get(name) if not is_dumb else _DUMB.get(name)
    if known is None and not is_dumb and name in _PARAMETERS:
        numbers += [0, 0]
        known = _PARAMETERS[name].format(numbers[0] + 1, numbers[1] + 1, n=numbers[0])
    if known is not None:
        call.write("\x1b[H\x1b[J" if name == "clear" and colors < 0 else known)
        return 0
    if name in _TEXTS or name in _PARAMETERS:
        return 1  # the terminal cannot do it
    call.complain(f"unknown terminfo capability '{name}'")
    return _UNKNOWN_CAPABILITY


def _color(number: int, colors: int, *, background: bool) -> str:
    if colors == 8 or number < 8:
        return f"\x1b[{40 + number if background else 30 + number}m"
    if number < 16:
        return f"\x1b[{92 + number if background else 82 + number}m"
    return f"\x1b[{48 if background else 38};5;{number}m"


COMMANDS: Final = (
    Command(
        "tput",
        "[options] [command]",
        "Print what makes a terminal do something, such as bold or setaf 1.",
        run_tput,
        options=(
            Option(("-S",), "Read commands from standard input."),
            Option(("-T",), "Use this instead of $TERM.", "TERM"),
            Option(("-x",), "Do not clear what was scrolled away."),
            Option(("-V",), "Print version."),
        ),
        permute=False,
        usage_status=2,
    ),
)

"""What the options of `grep` ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY
from vshell.shell.choices import choose
from vshell.shell.command import Invocation, Parsed, UsageError
from vshell.shell.command_io import read_all, to_text
from vshell.shell.commands.grep_output import Settings
from vshell.shell.messages import reason
from vshell.shell.nodes import node_at
from vshell.shell.wildcards import wildcard_matches

_ACTIONS: Final = {"read": "read", "recurse": "recurse", "skip": "skip"}
_STDIN: Final = "(standard input)"
_ALWAYS: Final = ("always", "yes", "force")
_NEVER: Final = ("never", "no", "none")
_ON_TERMINALS: Final = ("auto", "tty", "if-tty")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files are searched.

    Attributes:
        recursive: Directories are searched with all that is below them.
        follows: Links in them are followed.
        include: A file must match one of these, if there are any.
        exclude: It must match none of these.
        exclude_directories: Nor must a directory match one of these.
        skips_directories: Directories are passed over without a complaint.
        silent: Nothing is complained of.
    """

    recursive: bool
    follows: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    exclude_directories: tuple[str, ...]
    skips_directories: bool
    silent: bool

    @property
    def suffixes(self) -> list[str] | None:
        """What the names of all files that are searched end in; None when that is not known."""
        ends = [pattern[1:] for pattern in self.include]
        if not ends or any(pattern[0:1] != "*" for pattern in self.include):
            return None
        plain = all(end and not any(letter in "*?[]\\" for letter in end) for end in ends)
        return ends if plain else None

    def accepts(self, path: str) -> bool:
        """Whether a file below an operand is searched."""
        *directories, name = path.split("/")
        if self.exclude_directories and not all(map(self.accepts_directory, directories)):
            return False
        return self.accepts_file(name)

    def accepts_file(self, name: str) -> bool:
        if any(_matches(pattern, name) for pattern in self.exclude):
            return False
        return not self.include or any(_matches(pattern, name) for pattern in self.include)

    def accepts_directory(self, name: str) -> bool:
        return not any(_matches(pattern.rstrip("/"), name) for pattern in self.exclude_directories)

    def accepts_operand(self, operand: str, *, is_directory: bool) -> bool:
        """Whether an operand is searched, which may match as a whole or by its last parts."""
        stripped = operand.rstrip("/") or operand
        tails = [stripped]
        while "/" in tails[-1]:
            tails.append(tails[-1].partition("/")[2])
        if is_directory:
            return all(self.accepts_directory(tail) for tail in tails)
        excluded = any(_matches(pattern, tail) for pattern in self.exclude for tail in tails)
        included = any(_matches(pattern, tail) for pattern in self.include for tail in tails)
        return not excluded and (included or not self.include)


def _matches(pattern: str, name: str) -> bool:
    return pattern == name or wildcard_matches(pattern, name)


def read_selection(call: Invocation) -> Selection:
    """Return which files the options select.

    Raises:
        UsageError: The value of an option is wrong.
    """
    parsed = call.parsed
    action = "recurse" if call.name == "rgrep" else "read"
    follows = False
    for name, value in parsed.given:
        if name == "directories":
            action = choose("--directories", value or "", _ACTIONS)
        elif name in ("recursive", "dereference-recursive"):
            action, follows = "recurse", name != "recursive"
    excluded = parsed.values("exclude")
    for name in parsed.values("exclude-from"):
        try:
            text = to_text(read_all(call, name))
        except VshellError as error:
            raise UsageError(f"{name}: {reason(error)}", hint=False) from None
        excluded += [line for line in text.splitlines() if line]
    devices = parsed.value("devices")
    if devices not in (None, "read", "skip"):
        raise UsageError("unknown devices method", hint=False)
    return Selection(
        recursive=action == "recurse",
        follows=follows,
        include=tuple(parsed.values("include")),
        exclude=tuple(excluded),
        exclude_directories=tuple(parsed.values("exclude-dir")),
        skips_directories=action == "skip",
        silent=parsed.flag("no-messages"),
    )


def read_settings(call: Invocation, operands: Sequence[str]) -> Settings:
    """Return how the options want lines printed.

    Args:
        call: The command's run.
        operands: The files that were named.

    Raises:
        UsageError: The value of an option is wrong.
    """
    parsed = call.parsed
    if parsed.flag("V"):
        parsed = Parsed((*parsed.given, ("version", None)), parsed.operands)
    before, after = _context(parsed)
    is_colored = _wants_color(call, parsed)
    limit = parsed.value("max-count")
    listing = parsed.last("files-with-matches", "files-without-match")
    return Settings(
        invert=parsed.flag("invert-match"),
        count=parsed.flag("count") and listing is None,
        listing="" if listing is None else "with" if listing == "files-with-matches" else "without",
        quiet=parsed.flag("silent"),
        only_matching=parsed.flag("only-matching"),
        max_count=None if limit is None else _number(limit, "invalid max count", negative=True),
        numbers=parsed.flag("line-number"),
        offsets=parsed.flag("byte-offset"),
        names=_names_files(call, parsed, operands),
        null=parsed.flag("null"),
        tab=parsed.flag("initial-tab"),
        before=before,
        after=after,
        group_separator=_group_separator(parsed),
        binary=_binary(parsed),
        separator=b"\0" if parsed.flag("null-data") else b"\n",
        label=parsed.value("label", _STDIN) or "",
        color=_colors(call.environment.get("GREP_COLORS", "")) if is_colored else None,
    )


def _names_files(call: Invocation, parsed: Parsed, operands: Sequence[str]) -> bool:
    """Tell whether each line is printed with its file's name."""
    named = parsed.last("with-filename", "no-filename")
    if named is not None:
        return named == "with-filename"
    recursive = (
        call.name == "rgrep"
        or parsed.last("recursive", "dereference-recursive") is not None
        or parsed.value("directories") == "recurse"
    )
    return len(operands) > 1 or (recursive and _is_tree(call, operands))


def _wants_color(call: Invocation, parsed: Parsed) -> bool:
    color = parsed.value("colour") if parsed.flag("colour") else "never"
    if color in _ALWAYS:
        return True
    if color is None or color in _ON_TERMINALS:
        return bool(call.services.get("terminal"))
    if color in _NEVER:
        return False
    raise UsageError("", hint=True)


def _is_tree(call: Invocation, operands: Sequence[str]) -> bool:
    if not operands:
        return True
    try:
        return node_at(call, operands[0], follow=True).kind == DIRECTORY
    except VshellError:
        return False


def _context(parsed: Parsed) -> tuple[int, int]:
    digits = ""
    sides: dict[str, int] = {}
    common = 0
    for name, value in parsed.given:
        if len(name) == 1 and name.isdigit():
            digits += name
            common = int(digits[:9])
        elif name == "context":
            common = _number(value or "", f"{value}: invalid context length argument")
        elif name in ("before-context", "after-context"):
            sides[name] = _number(value or "", f"{value}: invalid context length argument")
    return sides.get("before-context", common), sides.get("after-context", common)


def _number(text: str, message: str, *, negative: bool = False) -> int:
    sign = text[:1] if text[:1] in ("-", "+") else ""
    digits = text[len(sign) :]
    if not digits.isascii() or not digits.isdigit() or (sign == "-" and not negative):
        raise UsageError(message, hint=False)
    number = min(int(digits[:18]), 2**62)
    return 2**62 if sign == "-" else number


def _group_separator(parsed: Parsed) -> str | None:
    if parsed.last("group-separator", "no-group-separator") == "no-group-separator":
        return None
    return parsed.value("group-separator", "--")


def _binary(parsed: Parsed) -> str:
    chosen = "binary"
    for name, value in parsed.given:
        if name == "binary-files":
            if value not in ("binary", "text", "without-match"):
                raise UsageError("unknown binary-files type", hint=False)
            chosen = value
        elif name in ("text", "I"):
            chosen = "text" if name == "text" else "without-match"
    return chosen


def _colors(variable: str) -> dict[str, str]:
    colors = {
        "ms": "01;31", "mc": "01;31", "sl": "", "cx": "", "fn": "35", "ln": "32", "bn": "32",
        "se": "36",
    }  # fmt: skip
    for item in variable.split(":"):
        key, equals, code = item.partition("=")
        if equals and key == "mt":
            colors["ms"] = colors["mc"] = code
        elif equals and key in colors:
            colors[key] = code
        elif key in ("ne", "rv"):
            colors[key] = "yes"
    return colors

"""What the options of `ls` ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from vshell.shell.choices import choose
from vshell.shell.command import Invocation, Parsed, UsageError
from vshell.shell.messages import quote_typographic
from vshell.shell.sizes import Scale, scale_of

Follow = Literal["never", "operands", "directories", "always"]

_FORMATS: Final = {
    "verbose": "long",
    "long": "long",
    "commas": "commas",
    "horizontal": "across",
    "across": "across",
    "vertical": "columns",
    "single-column": "single",
}
_SORTS: Final = {
    "none": "none",
    "time": "time",
    "size": "size",
    "extension": "extension",
    "version": "version",
    "width": "width",
}
_TIMES: Final = {
    "atime": "access",
    "access": "access",
    "use": "access",
    "ctime": "status",
    "status": "status",
    "birth": "birth",
    "creation": "birth",
}
"""There is no time of the last access or of birth: that of the content stands for both."""

_INDICATORS: Final = {
    "none": "none",
    "slash": "slash",
    "file-type": "type",
    "classify": "all",
}
_QUOTINGS: Final = {
    "literal": "literal",
    "shell": "shell",
    "shell-always": "shell-always",
    "shell-escape": "shell-escape",
    "shell-escape-always": "shell-escape-always",
    "c": "c",
    "c-maybe": "c-maybe",
    "escape": "escape",
    "locale": "locale",
    "clocale": "clocale",
}
_WHEN: Final = {
    "always": "always",
    "yes": "always",
    "force": "always",
    "never": "never",
    "no": "never",
    "none": "never",
    "auto": "auto",
    "tty": "auto",
    "if-tty": "auto",
}
_COLOR_TERMINALS: Final = (
    "ansi", "alacritty", "con", "cygwin", "dtterm", "Eterm", "eterm", "foot", "gnome", "hurd",
    "jfbterm", "konsole", "kterm", "linux", "mlterm", "putty", "rxvt", "screen", "st", "terminator",
    "tmux", "vt100", "xterm",
)  # fmt: skip
"""What the names of terminals with colours begin with, by GNU's list."""

_LONG: Final = ("l", "g", "o", "numeric-uid-gid", "full-time")


@dataclass(frozen=True, slots=True)
class Settings:
    """How and what `ls` lists; the names are those of its manual."""

    format: str
    sort: str
    reverse: bool
    directories_first: bool
    recursive: bool
    directory: bool
    follow: Follow
    hidden: Literal["none", "dots", "all"]
    ignored: tuple[str, ...]
    hide: tuple[str, ...]
    time: str
    time_style: str
    scale: Scale
    size_scale: Scale
    shows_blocks_column: bool
    inode: bool
    owner: bool
    group: bool
    author: bool
    numeric: bool
    context: bool
    indicator: str
    quoting: str
    hides_control: bool
    color: bool
    width: int
    tab: int
    end: str

    @property
    def long(self) -> bool:
        return self.format == "long"

    @property
    def aligns_quotes(self) -> bool:
        """Whether names without quotes are set in beside those with them."""
        lines_up = self.long or (self.format in ("columns", "across") and self.width > 0)
        return lines_up and self.quoting in ("shell", "shell-escape", "c-maybe")

    @property
    def needs_status(self) -> bool:
        """Whether anything but names is asked of entries."""
        by_status = self.shows_blocks or self.sort in ("size", "time", "status")
        by_type = self.recursive or self.color or self.indicator != "none"
        return by_status or by_type or self.directories_first

    @property
    def shows_blocks(self) -> bool:
        return self.long or self.shows_blocks_column

    def ignores(self, name: str) -> bool:
        """Whether an entry of a directory is passed over."""
        if name.startswith(".") and self.hidden == "none":
            return True
        patterns = self.ignored if self.hidden != "none" else (*self.ignored, *self.hide)
        if not patterns:
            return False
        from vshell.shell.wildcards import wildcard_matches

        return any(wildcard_matches(pattern, name) for pattern in patterns)


def read_settings(call: Invocation) -> Settings:
    """Return what the options and the environment ask for.

    Raises:
        UsageError: The value of an option is wrong.
    """
    parsed, environment = call.parsed, call.environment
    unsorted = parsed.flag("f")
    layout = _format(call)
    width = _number(parsed.value("width"), "line width")
    scale = scale_of(
        parsed, environment, units={"kibibytes": 1024}, default=1024, variable="LS_BLOCK_SIZE"
    )
    readable = scale.block == 0 or parsed.flag("block-size")
    terminal = bool(call.services.get("terminal"))
    when = parsed.flag("color") and choose("--color", parsed.value("color") or "always", _WHEN)
    color = (when == "always" or (when == "auto" and terminal)) and _knows_colors(environment)
    if width is None:
        columns = environment.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and len(columns) < 6 else 80
    tab = _number(parsed.value("tabsize"), "tab size")
    return Settings(
        format=layout,
        sort=_sort(parsed, layout),
        reverse=parsed.flag("reverse"),
        directories_first=parsed.flag("group-directories-first"),
        recursive=parsed.flag("recursive") and not parsed.flag("directory"),
        directory=parsed.flag("directory"),
        follow=_follow(parsed, layout),
        hidden="all" if unsorted else _hidden(parsed),
        ignored=(
            *parsed.values("ignore"),
            *(("*~", ".*~") if parsed.flag("ignore-backups") else ()),
        ),
        hide=tuple(parsed.values("hide")),
        time=_time(parsed),
        time_style=_time_style(call, layout),
        scale=scale,
        size_scale=scale if readable else Scale(1),
        shows_blocks_column=parsed.flag("size"),
        inode=parsed.flag("inode"),
        owner=not parsed.flag("g"),
        group=not (parsed.flag("o") or parsed.flag("no-group")),
        author=parsed.flag("author"),
        numeric=parsed.flag("numeric-uid-gid"),
        context=parsed.flag("context"),
        indicator=_indicator(parsed, terminal=terminal),
        quoting="literal" if parsed.flag("zero") else _quoting(call, terminal=terminal),
        hides_control=_hides_control(parsed, terminal=terminal),
        color=color,
        width=width,
        tab=0 if color else 8 if tab is None else tab,
        end="\0" if parsed.flag("zero") else "\n",
    )


def _knows_colors(environment: Mapping[str, str]) -> bool:
    if environment.get("LS_COLORS") or environment.get("COLORTERM"):
        return True
    terminal = environment.get("TERM", "")
    return "color" in terminal or terminal.startswith(_COLOR_TERMINALS)


def _format(call: Invocation) -> str:
    parsed = call.parsed
    chosen = "long" if call.name == "vdir" else "columns" if call.name == "dir" else ""
    for name, value in parsed.given:
        if name in _LONG:
            chosen = "long"
        elif name == "format":
            chosen = choose("--format", value or "", _FORMATS)
        elif name in ("C", "x", "m"):
            chosen = {"C": "columns", "x": "across", "m": "commas"}[name]
        elif name in ("1", "zero") and chosen != "long":
            chosen = "single"
    if chosen:
        return chosen
    return "columns" if call.services.get("terminal") else "single"


def _sort(parsed: Parsed, layout: str) -> str:
    chosen = ""
    for name, value in parsed.given:
        if name == "sort":
            chosen = choose("--sort", value or "", _SORTS)
        elif name in ("S", "t", "U", "v", "X", "f"):
            chosen = {
                "S": "size",
                "t": "time",
                "U": "none",
                "f": "none",
                "v": "version",
                "X": "extension",
            }[name]
    asked = parsed.last("c", "u", "time") is not None
    if not chosen and asked and layout != "long":
        chosen = "time"
    if chosen == "time" and _time(parsed) == "status":
        return "status"
    return chosen or "name"


def _follow(parsed: Parsed, layout: str) -> Follow:
    name = parsed.last(
        "dereference", "dereference-command-line", "dereference-command-line-symlink-to-dir"
    )
    if name == "dereference":
        return "always"
    if name == "dereference-command-line":
        return "operands"
    if name is not None:
        return "directories"
    if parsed.flag("directory") or layout == "long" or _indicator(parsed) == "all":
        return "never"
    return "directories"


def _hidden(parsed: Parsed) -> Literal["none", "dots", "all"]:
    name = parsed.last("all", "almost-all")
    return "none" if name is None else "all" if name == "all" else "dots"


def _time(parsed: Parsed) -> str:
    chosen = "time"
    for name, value in parsed.given:
        if name == "time":
            chosen = choose("--time", value or "", _TIMES)
        elif name in ("c", "u"):
            chosen = "status" if name == "c" else "time"
    return chosen


def _time_style(call: Invocation, layout: str) -> str:
    for name, value in reversed(call.parsed.given):
        if name == "full-time":
            return "full-iso"
        if name == "time-style":
            style = value or ""
            break
    else:
        style = call.environment.get("TIME_STYLE", "locale") if layout == "long" else "locale"
    if style.startswith("+"):
        return style
    style = style.removeprefix("posix-")
    names = ("full-iso", "long-iso", "iso", "locale")
    if style in names:
        return style
    fitting = [name for name in names if style and name.startswith(style)]
    if len(fitting) == 1:
        return fitting[0]
    raise UsageError(
        f"{'ambiguous' if fitting else 'invalid'} argument {quote_typographic(style)}"
        f" for {quote_typographic('time style')}\n"
        "Valid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n  - [posix-]iso\n"
        "  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format"
    )


def _indicator(parsed: Parsed, *, terminal: bool = False) -> str:
    chosen = "none"
    for name, value in parsed.given:
        if name == "indicator-style":
            chosen = choose("--indicator-style", value or "", _INDICATORS)
        elif name in ("F", "classify"):
            when = choose("--classify", value, _WHEN) if value is not None else "always"
            if when == "always" or (when == "auto" and terminal):
                chosen = "all"
        elif name == "p":
            chosen = "slash"
        elif name == "file-type":
            chosen = "type"
    return chosen


def _quoting(call: Invocation, *, terminal: bool) -> str:
    chosen = ""
    for name, value in call.parsed.given:
        if name == "quoting-style":
            chosen = choose("--quoting-style", value or "", _QUOTINGS)
        elif name in ("literal", "quote-name", "escape"):
            chosen = {"literal": "literal", "quote-name": "c", "escape": "escape"}[name]
    if not chosen:
        chosen = _QUOTINGS.get(call.environment.get("QUOTING_STYLE", ""), "")
    if not chosen and call.name in ("dir", "vdir"):
        return "escape"
    return chosen or ("shell-escape" if terminal else "literal")


def _hides_control(parsed: Parsed, *, terminal: bool) -> bool:
    name = parsed.last("hide-control-chars", "show-control-chars")
    return terminal if name is None else name == "hide-control-chars"


def _number(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not text.isascii():
        raise UsageError(f"invalid {what}: {quote_typographic(text)}", hint=False)
    return min(int(text[:9]), 1_000_000)

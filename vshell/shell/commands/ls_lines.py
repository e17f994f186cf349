"""How `ls` prints: names with quotes, colours and indicators; columns; long lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vshell.errors import VshellError
from vshell.fs.filesystem import FileSystem
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Invocation
from vshell.shell.commands.ls_settings import Settings
from vshell.shell.messages import quote, quote_if_needed
from vshell.shell.names import c_escaped, c_quoted, display_width, hidden_control
from vshell.shell.nodes import OWNER, OWNER_ID, disk_bytes, mode_text, shown_size, stat_node
from vshell.shell.timeformat import format_time, zone_of

if TYPE_CHECKING:
    from vshell.shell.commands.ls import Shown

_HALF_YEAR_NS: Final = 31_556_952 // 2 * 1_000_000_000
_FLUSH_CHARACTERS: Final = 65_536
_COLORS: Final = {
    "no": "", "fi": "", "di": "01;34", "ln": "01;36", "or": "", "mi": "", "ex": "01;32",
    "st": "37;44", "ow": "34;42", "tw": "30;42", "su": "37;41", "sg": "30;43",
}  # fmt: skip
"""What GNU's `ls` takes when LS_COLORS says nothing."""


class Lines:
    """Prints what is listed."""

    def __init__(self, call: Invocation, settings: Settings) -> None:
        self._call = call
        self._settings = settings
        self._now_ns = call.context.files.store.now()
        self._zone = zone_of(call.environment)
        self._pending: list[str] = []
        self._size = 0
        self._colored = False
        self._aligned = False
        self._colors, self._extensions = _read_colors(call.environment.get("LS_COLORS", ""))

    @property
    def _colors_targets(self) -> bool:
        colors = self._colors
        missing = colors["mi"] and self._settings.long
        return bool(colors["or"] or missing or colors["ln"] == "target")

    def write(self, text: str) -> None:
        self._pending.append(text)
        self._size += len(text)
        if self._size > _FLUSH_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Hand on what is still held back, as before a complaint."""
        self._call.write("".join(self._pending))
        self._pending.clear()
        self._size = 0

    def look_up(self, shown: Shown, files: FileSystem) -> None:
        """Find out where a link leads, when that is going to be shown."""
        if shown.node.kind != SYMLINK:
            return
        settings = self._settings
        try:
            if settings.long:
                shown.target = files.readlink(shown.path)
            wanted = (settings.color and self._colors_targets) or settings.directories_first
            if wanted or (settings.long and settings.indicator in ("type", "all")):
                shown.leads_to = stat_node(files, shown.path, follow=True)
        except VshellError:
            shown.leads_to = None

    def print(self, shown: Sequence[Shown], *, beside: Sequence[Shown] = ()) -> None:
        """Print what was found; `beside` it, columns are as wide as these need."""
        layout = self._settings.format
        self._aligned = self._settings.aligns_quotes and any(
            self.quoted(each.name) != each.name for each in shown
        )
        if layout == "long":
            self._print_long(shown, beside)
        elif layout == "single":
            wide = self._prefix_widths(shown)
            for each in shown:
                self.write(self._prefix(each, wide) + self._name(each)[0] + self._settings.end)
        elif layout == "commas":
            self._print_commas(shown)
        else:
            self._print_columns(shown)

    def print_total(self, size: int) -> None:
        self.write(f"total {self._settings.scale.show(size)}{self._settings.end}")

    def quoted(self, name: str) -> str:
        """Return a name as the settings want it quoted."""
        style = self._settings.quoting
        if style == "c":
            return c_quoted(name)
        if style == "escape":
            return c_escaped(name, " ")
        if style in ("locale", "clocale"):
            return "‘" + c_escaped(name, "") + "’"
        if style == "c-maybe":
            escaped = c_quoted(name)
            return name if escaped[1:-1] == name else escaped
        if style == "shell-escape-always":
            return quote(name)
        if style == "shell-escape":
            return quote_if_needed(name, colon=False)
        shown = hidden_control(name) if self._settings.hides_control else name
        if style == "literal" or (style == "shell" and quote_if_needed(name, colon=False) == name):
            return shown
        quoted = quote(name)
        return quoted if "$'" not in quoted else "'" + shown.replace("'", "'\\''") + "'"

    # Names.

    def _name(self, shown: Shown) -> tuple[str, int]:
        """Return a name with all that is around it, and how wide it is."""
        quoted = self.quoted(shown.name)
        mark = "" if self._settings.long and shown.target is not None else self._mark(shown.node)
        space = " " if self._aligned and quoted == shown.name else ""
        width = len(space) + display_width(quoted) + len(mark)
        return space + self._colored_text(quoted, shown) + mark, width

    def _mark(self, node: EntryStat | None) -> str:
        style = self._settings.indicator
        if style == "none" or node is None:
            return ""
        if node.kind == DIRECTORY:
            return "/"
        if style == "slash":
            return ""
        if node.kind == SYMLINK:
            return "@"
        return "*" if style == "all" and node.mode & 0o111 else ""

    def _colored_text(self, text: str, shown: Shown, node: EntryStat | None = None) -> str:
        if not self._settings.color:
            return text
        code = self._color(node or shown.node, shown, is_target=node is not None)
        if not code:
            return text
        start = "" if self._colored else "\x1b[0m"
        self._colored = True
        return f"{start}\x1b[{code}m{text}\x1b[0m"

    def _color(self, node: EntryStat, shown: Shown, *, is_target: bool) -> str:
        colors = self._colors
        if node.kind == SYMLINK:
            if shown.leads_to is None and colors.get("or"):
                return colors["or"]
            if colors.get("ln") == "target" and shown.leads_to is not None:
                return self._color(shown.leads_to, shown, is_target=True)
            return colors.get("ln", "")
        if node.kind == DIRECTORY:
            key = {(True, True): "tw", (False, True): "ow", (True, False): "st"}.get(
                (bool(node.mode & 0o1000), bool(node.mode & 0o002)), "di"
            )
            return colors.get(key) or colors.get("di", "")
        for bit, key in ((0o4000, "su"), (0o2000, "sg"), (0o111, "ex")):
            if node.mode & bit and colors.get(key):
                return colors[key]
        name = shown.target if is_target and shown.target is not None else shown.name
        ending = next((code for suffix, code in self._extensions if name.endswith(suffix)), "")
        return ending or colors.get("fi", "")

    # What comes before names.

    def _prefix_widths(self, shown: Sequence[Shown]) -> tuple[int, int]:
        settings = self._settings
        inode = max((len(str(each.node.inode)) for each in shown), default=0)
        blocks = max((len(self._blocks(each)) for each in shown), default=0)
        return inode if settings.inode else 0, blocks if settings.shows_blocks_column else 0

    def _prefix(self, shown: Shown, widths: tuple[int, int]) -> str:
        inode, blocks = widths
        text = f"{shown.node.inode:>{inode}} " if inode else ""
        text += f"{self._blocks(shown):>{blocks}} " if blocks else ""
        return text + ("? " if self._settings.context and not self._settings.long else "")

    def _blocks(self, shown: Shown) -> str:
        return self._settings.scale.show(disk_bytes(shown.node)) if shown.known else "?"

    # Layouts.

    def _print_long(self, shown: Sequence[Shown], beside: Sequence[Shown]) -> None:
        rows = [self._columns_of(each) for each in (*shown, *beside)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        wide = self._prefix_widths((*shown, *beside))
        names = not self._settings.numeric
        for each, row in zip(shown, rows, strict=False):
            cells = [
                cell.ljust(width) if (names and 2 <= place < len(row) - 2) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            line = self._prefix(each, wide) + " ".join(cells) + " " + self._name(each)[0]
            if each.target is not None:
                line += " -> " + self._target(each)
            self.write(line + self._settings.end)

    def _target(self, shown: Shown) -> str:
        assert shown.target is not None
        text = self.quoted(shown.target)
        if shown.leads_to is None:
            return text
        return self._colored_text(text, shown, shown.leads_to) + self._mark(shown.leads_to)

    def _columns_of(self, shown: Shown) -> list[str]:
        settings, node = self._settings, shown.node
        if not shown.known:
            count = settings.owner + settings.group + settings.author + settings.context
            return ["l" + "?" * 9, *"?" * (count + 3)]
        who = str(OWNER_ID) if settings.numeric else OWNER
        return [
            mode_text(node),
            str(node.nlink),
            *([who] if settings.owner else []),
            *([who] if settings.group else []),
            *([OWNER] if settings.author else []),
            *(["?"] if settings.context else []),
            settings.size_scale.show(shown_size(node)),
            self._time(node),
        ]

    def _time(self, node: EntryStat) -> str:
        time_ns = node.ctime_ns if self._settings.time == "status" else node.mtime_ns
        recent = self._now_ns - _HALF_YEAR_NS < time_ns <= self._now_ns
        style = self._settings.time_style
        if style.startswith("+"):
            old, _, new = style[1:].partition("\n")
            pattern = (new if recent else old) if "\n" in style else old
        else:
            pattern = {
                "full-iso": "%Y-%m-%d %H:%M:%S.%N %z",
                "long-iso": "%Y-%m-%d %H:%M",
                "iso": "%m-%d %H:%M" if recent else "%Y-%m-%d ",
                "locale": "%b %e %H:%M" if recent else "%b %e  %Y",
            }[style]
        return format_time(pattern, time_ns, self._zone)

    def _print_commas(self, shown: Sequence[Shown]) -> None:
        column = 0
        limit = self._settings.width
        for place, each in enumerate(shown):
            text, width = self._name(each)
            prefix = self._prefix(each, (0, 0)) if not self._settings.inode else ""
            prefix = self._prefix(each, self._narrow(each)) or prefix
            width += len(prefix)
            if place:
                fits = not limit or column + width + 2 < limit
                self.write(", " if fits else ",\n")
                column = column + 2 if fits else 0
            self.write(prefix + text)
            column += width
        if shown:
            self.write(self._settings.end)

    def _narrow(self, shown: Shown) -> tuple[int, int]:
        settings = self._settings
        inode = len(str(shown.node.inode)) if settings.inode else 0
        return inode, len(self._blocks(shown)) if settings.shows_blocks_column else 0

    def _print_columns(self, shown: Sequence[Shown]) -> None:
        wide = self._prefix_widths(shown)
        cells: list[tuple[str, int]] = []
        for each in shown:
            prefix = self._prefix(each, wide)
            text, width = self._name(each)
            cells.append((prefix + text, width + len(prefix)))
        if not cells:
            return
        across = self._settings.format == "across"
        if not self._settings.width:
            self.write("  ".join(text for text, _ in cells) + self._settings.end)
            return
        widths = _column_widths([width for _, width in cells], self._settings.width, across=across)
        rows = -(-len(cells) // len(widths))
        for row in range(rows):
            if across:
                line = range(row * len(widths), min((row + 1) * len(widths), len(cells)))
            else:
                line = range(row, len(cells), rows)
            self._print_row([cells[place] for place in line], widths)

    def _print_row(self, cells: Sequence[tuple[str, int]], widths: Sequence[int]) -> None:
        position = start = 0
        for place, (text, width) in enumerate(cells):
            if place:
                start += widths[place - 1]
                self.write(_indent(position, start, self._settings.tab))
            self.write(text)
            position = start + width
        self.write(self._settings.end)


def _column_widths(widths: Sequence[int], limit: int, *, across: bool) -> list[int]:
    """Return the widths of as many columns as fit, each but the last with two spaces."""
    count = len(widths)
    for columns in range(min(count, max(1, limit // 3)), 1, -1):
        rows = -(-count // columns)
        found = [3] * columns
        for place, width in enumerate(widths):
            column = place % columns if across else place // rows
            padded = width + (0 if column == columns - 1 else 2)
            found[column] = max(found[column], padded)
        if sum(found) < limit:
            return found
    return [max(widths)]


def _indent(position: int, target: int, tab: int) -> str:
    """Return tabs and spaces that lead from one column to another, as `ls` does."""
    text = ""
    while position < target:
        if tab and target // tab > (position + 1) // tab:
            text += "\t"
            position += tab - position % tab
        else:
            text += " "
            position += 1
    return text


def _read_colors(variable: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    colors = dict(_COLORS)
    endings: list[tuple[str, str]] = []
    for item in variable.split(":"):
        key, equals, code = item.partition("=")
        if not equals:
            continue
        if key.startswith("*"):
            endings.insert(0, (key[1:], code))
        else:
            colors[key] = "" if code in ("0", "00") else code
    return colors, endings

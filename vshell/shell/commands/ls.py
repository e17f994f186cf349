"""`ls`, `dir` and `vdir`: what is in directories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from vshell.errors import SymlinkLoopError, VshellError
from vshell.fs.paths import encode, is_below, join
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.commands.ls_lines import Lines
from vshell.shell.commands.ls_settings import Settings, read_settings
from vshell.shell.messages import quote, reason
from vshell.shell.names import display_width
from vshell.shell.nodes import Listing, disk_bytes, node_at, shown_size
from vshell.shell.versions import version_key

_MINOR: Final = 1
_SERIOUS: Final = 2


class Shown:
    """One line of a listing.

    Attributes:
        name: What it is called there.
        node: What it is.
        path: The absolute path.
        target: Of a link, where it leads; None for anything else.
        leads_to: Of a link, what is there; None when nothing is.
        known: Whether it could be looked at.
    """

    __slots__ = ("known", "leads_to", "name", "node", "path", "target")

    def __init__(self, name: str, node: EntryStat, path: str) -> None:
        self.name = name
        self.node = node
        self.path = path
        self.target: str | None = None
        self.leads_to: EntryStat | None = None
        self.known = True

    @property
    def is_directory(self) -> bool:
        return self.node.kind == DIRECTORY

    @property
    def leads_to_directory(self) -> bool:
        return self.is_directory or (self.leads_to is not None and self.leads_to.kind == DIRECTORY)


class _Lister:
    def __init__(self, call: Invocation, settings: Settings) -> None:
        self._call = call
        self._files = call.context.files
        self._settings = settings
        self._lines = Lines(call, settings)
        self._listing: Listing | None = None
        self._printed = False
        self.status = 0

    def run(self, operands: Sequence[str]) -> int:
        files, directories = self._sort_out(operands or (".",))
        if files:
            self._lines.print(self._ordered(files), beside=directories)
            self._printed = True
        titled = self._settings.recursive or len(operands) > 1
        for shown in self._ordered(directories):
            self._directory(shown.name, shown.path, titled=titled)
        self._lines.finish()
        return self.status

    def _sort_out(self, operands: Iterable[str]) -> tuple[list[Shown], list[Shown]]:
        files: list[Shown] = []
        directories: list[Shown] = []
        for operand in operands:
            shown = self._operand(operand)
            if shown is None:
                continue
            if shown.is_directory and not self._settings.directory:
                directories.append(shown)
            else:
                files.append(shown)
        return files, directories

    def _operand(self, operand: str) -> Shown | None:
        follow = self._settings.follow
        try:
            node = node_at(self._call, operand, follow=follow == "always")
            if node.kind == SYMLINK and follow == "operands":
                node = self._followed(operand, node)
            elif node.kind == SYMLINK and follow == "directories":
                target = self._followed(operand, node)
                node = target if target.kind == DIRECTORY else node
        except VshellError as error:
            self._fail(f"cannot access {quote(operand)}: {reason(error)}", _SERIOUS)
            return None
        shown = Shown(operand, node, self._call.context.resolve(operand))
        self._lines.look_up(shown, self._files)
        return shown

    def _followed(self, operand: str, node: EntryStat) -> EntryStat:
        try:
            return node_at(self._call, operand, follow=True)
        except SymlinkLoopError:
            raise
        except VshellError:
            return node

    def _fail(self, message: str, status: int) -> None:
        self._lines.finish()
        self._call.complain(message)
        self.status = max(self.status, status)

    def _directory(self, name: str, path: str, *, titled: bool) -> None:
        try:
            listing = self._read(path)
            real = self._files.realpath(path)
        except VshellError as error:
            self._fail(f"cannot open directory {quote(name)}: {reason(error)}", _SERIOUS)
            return
        if titled:
            self._lines.write(("\n" if self._printed else "") + f"{self._lines.quoted(name)}:\n")
        elif self._printed:
            self._lines.write("\n")
        self._printed = True
        shown = self._ordered(self._entries(name, path, real, listing))
        if self._settings.shows_blocks:
            self._lines.print_total(sum(disk_bytes(each.node) for each in shown if each.known))
        self._lines.print(shown)
        if self._settings.recursive:
            for each in shown:
                if each.is_directory and each.name not in (".", ".."):
                    below = name + each.name if name.endswith("/") else f"{name}/{each.name}"
                    self._directory(below, each.path, titled=True)

    def _read(self, path: str) -> Listing:
        """Return the listing of everything when that is wanted, so that it is read once."""
        if not self._settings.recursive:
            return Listing(self._files, path, max_depth=1)
        if self._listing is None or not is_below(path, self._listing.top):
            self._listing = Listing(self._files, path)
        return self._listing

    def _entries(self, name: str, path: str, real: str, listing: Listing) -> list[Shown]:
        settings = self._settings
        found: list[Shown] = []
        if settings.hidden == "all":
            for dots in (".", ".."):
                place = join(path, dots) if dots == ".." else path
                node = node_at(self._call, place if dots == ".." else path, follow=True)
                found.append(Shown(dots, node, place))
        for node in listing.entries(real):
            base = node.path.rpartition("/")[2]
            if settings.ignores(base):
                continue
            shown = Shown(base, node, node.path)
            if node.kind == SYMLINK:
                self._link(shown, base if name == "." else f"{name}/{base}")
            found.append(shown)
        return found

    def _link(self, shown: Shown, typed: str) -> None:
        if self._settings.follow != "always":
            self._lines.look_up(shown, self._files)
            return
        if not self._settings.needs_status:
            return
        try:
            shown.node = node_at(self._call, shown.path, follow=True)
        except VshellError as error:
            shown.known = False
            self._fail(f"cannot access {quote(typed)}: {reason(error)}", _MINOR)

    def _ordered(self, shown: list[Shown]) -> list[Shown]:
        settings = self._settings
        if settings.sort != "none":
            shown = sorted(shown, key=lambda each: encode(each.name))
            if settings.sort != "name":
                shown.sort(key=_KEYS[settings.sort])
        if settings.reverse:
            # Those that are equal in what is sorted by come by name, turned round too.
            shown = shown[::-1]
        if settings.directories_first and settings.sort != "none":
            shown.sort(key=lambda each: not each.leads_to_directory)
        return shown


_KEYS: Final[dict[str, Callable[[Shown], Any]]] = {
    "size": lambda each: -shown_size(each.node),
    "time": lambda each: -each.node.mtime_ns,
    "status": lambda each: -each.node.ctime_ns,
    "extension": lambda each: _extension(each.name),
    "version": lambda each: version_key(encode(each.name)),
    "width": lambda each: display_width(each.name),
}  # fmt: skip


def _extension(name: str) -> bytes:
    _, dot, extension = name.rpartition(".")
    return encode(dot + extension) if dot else b""


def run_ls(call: Invocation) -> int:
    settings = read_settings(call)
    return _Lister(call, settings).run(call.operands)


_OPTIONS: Final = (
    Option(("-a", "--all"), "Do not ignore entries starting with '.'."),
    Option(("-A", "--almost-all"), "Do not list '.' and '..'."),
    Option(("--author",), "With -l, print the author of each file."),
    Option(("-b", "--escape"), "Print C-style escapes for nongraphic characters."),
    Option(("--block-size",), "With -l, scale sizes by SIZE when printing them.", "SIZE"),
    Option(("-B", "--ignore-backups"), "Do not list entries ending with '~'."),
    Option(("-c",), "Sort by, or show, the time of the last change of anything."),
    Option(("-C",), "List entries by columns."),
    Option(("--color",), "Color the output: always, auto or never.", "WHEN", optional=True),
    Option(("-d", "--directory"), "List directories themselves, not their contents."),
    Option(("-f",), "List all entries in directory order."),
    Option(("-F",), "Append an indicator (one of */=>@|) to entries."),
    Option(("--classify",), "Likewise: always, auto or never.", "WHEN", optional=True),
    Option(("--file-type",), "Likewise, except do not append '*'."),
    Option(("--format",), "across, commas, long, single-column, vertical.", "WORD"),
    Option(("--full-time",), "Like -l --time-style=full-iso."),
    Option(("-g",), "Like -l, but do not list owner."),
    Option(("--group-directories-first",), "Group directories before files."),
    Option(("-G", "--no-group"), "In a long listing, do not print group names."),
    Option(("-h", "--human-readable"), "With -l and -s, print sizes like 1K 234M 2G."),
    Option(("--si",), "Likewise, but use powers of 1000."),
    Option(("-H", "--dereference-command-line"), "Follow links among the operands."),
    Option(
        ("--dereference-command-line-symlink-to-dir",),
        "Follow links among the operands that lead to directories.",
    ),
    Option(("--hide",), "Do not list what matches PATTERN, unless -a or -A is given.", "PATTERN"),
    Option(("--indicator-style",), "none, slash (-p), file-type, classify (-F).", "WORD"),
    Option(("-i", "--inode"), "Print the index number of each file."),
    Option(("-I", "--ignore"), "Do not list entries matching PATTERN.", "PATTERN"),
    Option(("-k", "--kibibytes"), "Use blocks of 1024 bytes for -s and totals."),
    Option(("-l",), "Use a long listing format."),
    Option(("-L", "--dereference"), "Show what links lead to, instead of the links."),
    Option(("-m",), "Fill width with a comma separated list of entries."),
    Option(("-n", "--numeric-uid-gid"), "Like -l, but list numeric user and group IDs."),
    Option(("-N", "--literal"), "Print entry names without quoting."),
    Option(("-o",), "Like -l, but do not list group information."),
    Option(("-p",), "Append / to directories."),
    Option(("-q", "--hide-control-chars"), "Print ? instead of nongraphic characters."),
    Option(("--show-control-chars",), "Show nongraphic characters as they are."),
    Option(("-Q", "--quote-name"), "Enclose entry names in double quotes."),
    Option(
        ("--quoting-style",),
        "literal, locale, shell, shell-always, shell-escape, shell-escape-always, c, escape.",
        "WORD",
    ),
    Option(("-r", "--reverse"), "Reverse order while sorting."),
    Option(("-R", "--recursive"), "List subdirectories recursively."),
    Option(("-s", "--size"), "Print the allocated size of each file, in blocks."),
    Option(("-S",), "Sort by file size, largest first."),
    Option(("--sort",), "none, size, time, version, extension or width.", "WORD"),
    Option(("--time",), "Show or sort by: access, ctime, status or birth.", "WORD"),
    Option(("--time-style",), "full-iso, long-iso, iso, locale, or +FORMAT.", "TIME_STYLE"),
    Option(("-t",), "Sort by time, newest first."),
    Option(("-T", "--tabsize"), "Assume tab stops at each COLS.", "COLS"),
    Option(("-u",), "With -lt, sort by and show access time."),
    Option(("-U",), "Do not sort."),
    Option(("-v",), "Natural sort of numbers within text."),
    Option(("-w", "--width"), "Set output width to COLS. 0 means no limit.", "COLS"),
    Option(("-x",), "List entries by lines instead of by columns."),
    Option(("-X",), "Sort alphabetically by entry extension."),
    Option(("-Z", "--context"), "Print the security context, which no file has."),
    Option(("--zero",), "End each output line with NUL, not newline."),
    Option(("-1",), "List one file per line."),
)


def _command(name: str, summary: str) -> Command:
    return Command(name, "[OPTION]... [FILE]...", summary, run_ls, options=_OPTIONS, usage_status=2)


COMMANDS: Final = (
    _command("ls", "List information about the FILEs (the current directory by default)."),
    _command("dir", "List directory contents by columns, as `ls -C -b`."),
    _command("vdir", "List directory contents in detail, as `ls -l -b`."),
)

"""`tar`: what was asked for, and which names are meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import Failure, read_all, to_text
from vshell.shell.compression import BZIP2, GZIP, XZ, Format
from vshell.shell.messages import reason
from vshell.shell.modes import Mode

_SUFFIXES: Final = {
    ".gz": GZIP, ".tgz": GZIP, ".taz": GZIP, ".bz2": BZIP2, ".tbz2": BZIP2, ".tbz": BZIP2,
    ".tb2": BZIP2, ".xz": XZ, ".txz": XZ,
}  # fmt: skip


@dataclass(slots=True)
class TarSettings:
    """What was asked for."""

    mode: str = ""
    archive: str = "-"
    verbose: int = 0
    format: Format | None = None
    directory: str = ""
    strip: int = 0
    exclude: list[str] = field(default_factory=list)
    to_stdout: bool = False
    keep_old_files: bool = False
    skip_old_files: bool = False
    keep_newer: bool = False
    overwrite: bool = False
    same_permissions: bool = True
    touch: bool = False
    absolute_names: bool = False
    dereference: bool = False
    recursive: bool = True
    wildcards: bool = False
    numeric_owner: bool = False
    full_time: bool = False
    remove_files: bool = False
    transform: Callable[[str], str] | None = None
    members: list[tuple[str, str]] = field(default_factory=list)
    mtime_ns: int | None = None
    permissions: Mode | None = None
    shows_transformed: bool = False
    owner: tuple[str, int] = ("root", 0)
    group: tuple[str, int] = ("root", 0)


_NUMBERS: Final = {
    "root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7,
    "mail": 8, "news": 9, "staff": 50, "games": 60, "users": 100, "nobody": 65534,
    "nogroup": 65534,
}  # fmt: skip
"""The numbers of users and groups that every Debian has."""


def _principal(text: str | None, nobody: str) -> tuple[str, int]:
    """Read NAME, NAME:NUMBER or NUMBER, for the members of a new archive."""
    if text is None:
        return "root", 0
    name, _, number = text.partition(":")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return name, int(number)
    if name.isascii() and name.lstrip("+").isdigit() and len(name) < 10:
        known = {number: each for each, number in _NUMBERS.items()} | {65534: nobody}
        return known.get(int(name), ""), int(name)
    return name, _NUMBERS.get(name, 0)


def settings_of(call: Invocation) -> TarSettings:
    """Read the options.

    Raises:
        Failure: They do not go together.
    """
    parsed = call.parsed
    settings = TarSettings()
    modes = [name for name, _ in parsed.given if name in _MODES]
    if len(set(modes)) > 1:
        raise Failure(
            "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option\n"
            "Try 'tar --help' or 'tar --usage' for more information.",
            2,
        )
    if not modes:
        raise Failure(
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n"
            "Try 'tar --help' or 'tar --usage' for more information.",
            2,
        )
    settings.mode = _MODES[modes[0]]
    settings.archive = parsed.value("file", "-") or "-"
    settings.verbose = sum(name == "verbose" for name, _ in parsed.given)
    settings.format = _format(call, settings.archive)
    settings.strip = _count(parsed.value("strip-components", "0") or "")
    settings.exclude = parsed.values("exclude")
    for name in parsed.values("exclude-from"):
        settings.exclude += _lines(call, name)
    if parsed.flag("exclude-vcs"):
        settings.exclude += [".git", ".gitignore", ".svn", ".hg", ".bzr", "CVS"]
    if parsed.last("wildcards", "no-wildcards") == "no-wildcards":
        settings.exclude = [re.sub(r"[*?\[]", r"[\g<0>]", each) for each in settings.exclude]
    settings.shows_transformed = parsed.flag("show-transformed-names")
    if (changes := parsed.value("mode")) is not None:
        try:
            settings.permissions = Mode(changes)
        except ValueError:
            raise Failure("Invalid mode given on option", 2) from None
    settings.to_stdout = parsed.flag("to-stdout")
    settings.keep_old_files = parsed.flag("keep-old-files")
    settings.skip_old_files = parsed.flag("skip-old-files")
    settings.overwrite = parsed.flag("overwrite")
    settings.keep_newer = parsed.flag("keep-newer-files")
    settings.touch = parsed.flag("touch")
    settings.absolute_names = parsed.flag("absolute-names")
    settings.dereference = parsed.flag("dereference")
    settings.recursive = parsed.last("recursion", "no-recursion") != "no-recursion"
    settings.wildcards = parsed.last("wildcards", "no-wildcards") == "wildcards"
    settings.numeric_owner = parsed.flag("numeric-owner")
    settings.full_time = parsed.flag("full-time")
    settings.remove_files = parsed.flag("remove-files")
    transform = parsed.values("transform")
    if transform:
        settings.transform = _transformer(transform)
    settings.mtime_ns = _mtime(call)
    settings.owner = _principal(parsed.value("owner"), "nobody")
    settings.group = _principal(parsed.value("group"), "nogroup")
    settings.members = _members(call)
    settings.directory = settings.members[-1][0] if settings.members else _directory(call)
    return settings


_MODES: Final = {
    "create": "c", "extract": "x", "get": "x", "list": "t", "append": "r", "update": "u",
    "delete": "delete", "diff": "d", "compare": "d", "catenate": "A", "concatenate": "A",
}  # fmt: skip


_PROGRAMS: Final = {
    "gzip": GZIP, "pigz": GZIP, "bzip2": BZIP2, "pbzip2": BZIP2, "lbzip2": BZIP2, "xz": XZ,
    "pixz": XZ,
}  # fmt: skip


def _format(call: Invocation, archive: str) -> Format | None:
    program = call.parsed.value("use-compress-program")
    if program is not None:
        found = _PROGRAMS.get(program.partition(" ")[0].rpartition("/")[2])
        if found is None:
            raise Failure(f"{program}: Cannot exec: No such file or directory", 2)
        return found
    chosen = call.parsed.last("gzip", "gunzip", "ungzip", "bzip2", "xz")
    if chosen:
        return {"bzip2": BZIP2, "xz": XZ}.get(chosen, GZIP)
    if call.parsed.flag("auto-compress"):
        return next((found for end, found in _SUFFIXES.items() if archive.endswith(end)), None)
    return None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Failure(f"‘{text}’: Invalid number of elements", 2)
    return int(text[:9])


def _lines(call: Invocation, name: str) -> list[str]:
    try:
        text = to_text(read_all(call, name))
    except VshellError as error:
        raise Failure(f"{name}: Cannot open: {reason(error)}", 2) from None
    separator = "\0" if call.parsed.flag("null") else "\n"
    return [line for line in text.split(separator) if line]


def _mtime(call: Invocation) -> int | None:
    text = call.parsed.value("mtime")
    if text is None:
        return None
    from vshell.shell.dates import BadDateError, parse_date
    from vshell.shell.timeformat import zone_of

    if text.startswith(("/", ".")):
        return call.context.files.stat(call.context.resolve(text)).mtime_ns
    try:
        return parse_date(text, call.context.files.store.now(), zone_of(call.environment))
    except BadDateError:
        raise Failure(f"Invalid mtime: {text}", 2) from None


def _directory(call: Invocation) -> str:
    directory = call.context.cwd
    for name in call.parsed.values("directory"):
        directory = _entered(call, directory, name)
    return directory


def _entered(call: Invocation, base: str, name: str) -> str:
    from vshell.fs.paths import absolute

    path = absolute(name, base)
    files = call.context.files
    if not files.exists(path) or files.stat(path).kind != "directory":
        why = "Not a directory" if files.exists(path) else "No such file or directory"
        raise Failure(f"{name}: Cannot open: {why}\ntar: Error is not recoverable: exiting now", 2)
    return path


def _members(call: Invocation) -> list[tuple[str, str]]:
    """Return the operands, each with the directory that holds for it."""
    directory = _directory(call)
    members = [(directory, name) for name in call.operands]
    for listing in call.parsed.values("files-from"):
        lines = iter(_lines(call, listing))
        for line in lines:
            if line == "-C":
                directory = _entered(call, directory, next(lines, "."))
            else:
                members.append((directory, line))
    return members


def _transformer(scripts: Sequence[str]) -> Callable[[str], str]:
    from vshell.shell.commands.sed.parser import SedParser
    from vshell.shell.commands.sed.replacing import substituted
    from vshell.shell.commands.sed.script import SedError

    parser = SedParser(extended=False)
    try:
        for script in scripts:
            parser.parse(script, "--transform")
        commands = parser.finish()
    except SedError as error:
        raise Failure(f"Invalid transform expression: {error}", 2) from None
    steps = [command.substitution for command in commands if command.substitution is not None]

    def transform(name: str) -> str:
        for step in steps:
            name = substituted(step, name)
        return name

    return transform


class Names:
    """Decides which names are meant, and what they become."""

    def __init__(self, call: Invocation, settings: TarSettings) -> None:
        self._call = call
        self._settings = settings
        self._warned: set[str] = set()
        self.directory = settings.directory or call.context.cwd
        self._exclude = [re.compile(translate(pattern.rstrip("/"))) for pattern in settings.exclude]

    def excluded(self, name: str) -> bool:
        """Tell whether a name, or a directory that it is in, is excluded."""
        if not self._exclude:
            return False
        parts = name.strip("/").split("/")
        for end in range(1, len(parts) + 1):
            for start in range(end):
                candidate = "/".join(parts[start:end])
                if any(pattern.match(candidate) for pattern in self._exclude):
                    return True
            if any(pattern.match("./" + "/".join(parts[:end])) for pattern in self._exclude):
                return True
        return False

    def transformed(self, name: str) -> str | None:
        """Return a name after `--transform` and `--strip-components`; None leaves it out."""
        if self._settings.transform is not None:
            name = self._settings.transform(name)
        if self._settings.strip:
            parts = [part for part in name.split("/") if part]
            parts = parts[self._settings.strip :]
            name = "/".join(parts)
            return name or None
        return name

    def safe(self, name: str) -> str | None:
        """Return a name without a leading `/`; None when it has `..`."""
        if ".." in name.split("/"):
            return None
        if name.startswith("/") and not self._settings.absolute_names:
            self.warn_once("Removing leading `/' from member names")
            name = name.lstrip("/")
        return name

    def warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._call.complain(message)

    def matcher(self) -> _Matcher:
        return _Matcher(
            [name for _, name in self._settings.members], wildcards=self._settings.wildcards
        )


class _Matcher:
    """Which members the operands mean: those of a name, and what is below."""

    def __init__(self, names: Sequence[str], *, wildcards: bool) -> None:
        self._names = {name: name.rstrip("/") for name in names}
        self._patterns = {name: re.compile(translate(name)) for name in names} if wildcards else {}
        self._used: set[str] = set()

    def takes(self, member: str) -> bool:
        if not self._names:
            return True
        member = member.rstrip("/")
        for name, bare in self._names.items():
            pattern = self._patterns.get(name)
            if (
                member == bare
                or member.startswith(bare + "/")
                or (pattern and pattern.match(member))
            ):
                self._used.add(name)
                return True
        return False

    def unused(self) -> Iterator[str]:
        yield from (name for name in self._names if name not in self._used)

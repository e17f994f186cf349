"""The tests of `find`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.command import UsageError
from vshell.shell.commands.find_entry import Found, Run, Test
from vshell.shell.dates import BadDateError, parse_date
from vshell.shell.messages import quote_typographic, reason
from vshell.shell.modes import Mode
from vshell.shell.nodes import OWNER, OWNER_ID, node_at, shown_size
from vshell.shell.timeformat import zone_of
from vshell.shell.wildcards import compile_wildcard

_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _NS
_KINDS: Final = {"f": FILE, "d": DIRECTORY, "l": SYMLINK}
_OTHER_KINDS: Final = "bcpsD"
_UNITS: Final = {"b": 512, "c": 1, "w": 2, "k": 1024, "M": 1024**2, "G": 1024**3}
_NUMBER: Final = re.compile(r"([-+]?)(\d+(?:\.\d+)?)")
_DIALECTS: Final = {
    "findutils-default": "emacs", "ed": "basic", "emacs": "emacs", "gnu-awk": "extended",
    "grep": "basic", "posix-awk": "extended", "awk": "extended", "posix-basic": "basic",
    "posix-egrep": "extended", "egrep": "extended", "posix-extended": "extended",
    "posix-minimal-basic": "basic", "sed": "basic",
}  # fmt: skip
_TIMEOUT_S: Final = 10.0


def _error(message: str) -> UsageError:
    return UsageError(message, hint=False)


class Arguments:
    """Makes tests of their arguments; what options in front of them said is kept here."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._files = run.call.context.files
        self._now_ns = self._files.store.now()
        self._dialect = "emacs"
        self.day_start = False

    def set_dialect(self, name: str) -> None:
        if name not in _DIALECTS:
            known = ", ".join(quote_typographic(each) for each in _DIALECTS)
            raise _error(
                f"Unknown regular expression type {quote_typographic(name)};"
                f" valid types are {known}."
            )
        self._dialect = _DIALECTS[name]

    # Names.

    def name(self, pattern: str, *, ignore_case: bool) -> Test:
        match = compile_wildcard(pattern, ignore_case=ignore_case).fullmatch
        return lambda found: match(found.name) is not None

    def path(self, pattern: str, *, ignore_case: bool) -> Test:
        match = compile_wildcard(pattern, ignore_case=ignore_case).fullmatch
        return lambda found: match(found.path) is not None

    def link_name(self, pattern: str, *, ignore_case: bool) -> Test:
        match = compile_wildcard(pattern, ignore_case=ignore_case).fullmatch

        def test(found: Found) -> bool:
            if found.node.kind != SYMLINK:
                return False
            return match(self._files.readlink(found.node.path)) is not None

        return test

    def regex(self, pattern: str, *, ignore_case: bool) -> Test:
        from vshell.text.posix_regex import PosixRegexError, compile_posix

        extended = self._dialect == "extended"
        text = _from_emacs(pattern) if self._dialect == "emacs" else pattern
        try:
            compiled = compile_posix(text, extended=extended, ignore_case=ignore_case)
        except PosixRegexError as error:
            raise _error(f"failed to compile regular expression '{pattern}': {error}") from None
        return lambda found: compiled.fullmatch(found.path, timeout=_TIMEOUT_S) is not None

    # What it is.

    def kind(self, letters: str, word: str) -> Test:
        wanted: set[int] = set()
        parts = letters.split(",")
        for part in parts:
            if part in _KINDS:
                wanted.add(_KINDS[part])
            elif len(part) != 1 or part not in _OTHER_KINDS:
                if not letters:
                    raise _error(f"Arguments to {word} should contain at least one letter")
                if part and part[0] in "bcdpflsD":
                    raise _error(f"Must separate multiple arguments to {word} using: ','")
                if not part:
                    raise _error(
                        f"Last file type in list argument to {word} is missing, i.e., list is"
                        " ending on: ','"
                    )
                raise _error(f"Unknown argument to {word}: {part[0]}")
        if word == "-type":
            return lambda found: found.node.kind in wanted
        return lambda found: self._other_kind(found) in wanted

    def _other_kind(self, found: Found) -> int:
        """Return what `-xtype` looks at: the other side of a link than `-type` does."""
        if self._run.follow == "always":
            return SYMLINK if found.is_link else found.node.kind
        if found.node.kind != SYMLINK:
            return found.node.kind
        try:
            return _KINDS[self._files.stat(found.node.path).kind[0]]
        except VshellError:
            return SYMLINK

    def size(self, text: str) -> Test:
        unit = 512
        number = text
        if text and text[-1] in _UNITS:
            unit, number = _UNITS[text[-1]], text[:-1]
        elif text and not text[-1].isdigit():
            raise _error(f"invalid -size type `{text[-1]}'")
        sign, value = _split_number(number)
        if value is None or not number.lstrip("+-").isdigit():
            raise _error(f"Invalid argument `{text}' to -size")
        return _compared(sign, value, lambda found: -(-shown_size(found.node) // unit))

    def count(self, text: str, word: str, value_of: Callable[[Found], float]) -> Test:
        sign, value = _split_number(text)
        if value is None:
            raise _error(f"invalid argument `{text}' to `{word}'")
        return _compared(sign, value, value_of)

    def empty(self) -> Test:
        def test(found: Found) -> bool:
            node = found.node
            if node.kind == DIRECTORY:
                return not self._files.list_directory(node.path, limit=1)[1]
            return node.kind == FILE and not node.size

        return test

    def permissions(self, text: str) -> Test:
        how = text[:1] if text[:1] in ("-", "/") else ""
        try:
            if re.match(r"\+\d", text):
                raise ValueError(text)
            mode = Mode(text[len(how) :])
        except ValueError:
            raise _error(f"invalid mode {quote_typographic(text)}") from None
        file_bits = mode.apply(0, is_directory=False, umask=0)
        if how == "/" and not file_bits:
            self._run.call.complain(
                f"warning: you have specified a mode pattern {text} (which is equivalent to /000)."
                " The meaning of -perm /000 has now been changed to be consistent with -perm -000;"
                " that is, while it used to match no files, it now matches all files."
            )
        directory_bits = mode.apply(0, is_directory=True, umask=0)

        def test(found: Found) -> bool:
            wanted = directory_bits if found.node.kind == DIRECTORY else file_bits
            if how == "-":
                return found.node.mode & wanted == wanted
            if how == "/":
                return not wanted or bool(found.node.mode & wanted)
            return found.node.mode == wanted

        return test

    def owner(self, text: str, word: str) -> Test:
        if text == OWNER:
            return lambda _: True
        if text.isascii() and text.isdigit():
            return lambda _: int(text) == OWNER_ID
        if word == "-user":
            raise _error(f"{quote_typographic(text)} is not the name of a known user")
        raise _error(f"{quote_typographic(text)} is not the name of an existing group")

    def same_file(self, name: str) -> Test:
        inode = self._reference(name).inode
        return lambda found: found.node.inode == inode

    # Times.

    def age(self, text: str, word: str, *, changed: bool) -> Test:
        """Make a test of how old something is, in days or minutes."""
        sign, value = _split_number(text)
        if value is None:
            raise _error(f"invalid argument `{text}' to `{word}'")
        in_days = word.endswith("time")
        unit = _DAY_NS if in_days else 60 * _NS
        now_ns = self._tomorrow() if self.day_start else self._now_ns

        def age_of(found: Found) -> float:
            time_ns = found.node.ctime_ns if changed else found.node.mtime_ns
            return (now_ns - time_ns) / unit

        if sign == "+":
            least = value + 1 if in_days else value
            return lambda found: age_of(found) >= least if in_days else age_of(found) > least
        if sign == "-":
            return lambda found: age_of(found) < value
        if in_days:
            return lambda found: value <= age_of(found) < value + 1
        return lambda found: value - 1 < age_of(found) <= value

    def _tomorrow(self) -> int:
        zone = zone_of(self._run.call.environment)
        return parse_date("tomorrow 00:00", self._now_ns, zone)

    def newer(self, left: str, right: str, value: str, word: str) -> Test:
        """Make `-newerXY`: this time of the file is later than that of the reference."""
        if left not in "acm" or right not in "acmt":
            if left == "B" or right == "B":
                raise _error("This system does not provide a way to find the birth time of a file.")
            raise _error(f"invalid predicate `{word}'")
        if right == "t":
            try:
                limit = parse_date(value, self._now_ns, zone_of(self._run.call.environment))
            except BadDateError:
                raise _error(
                    f"I cannot figure out how to interpret {quote_typographic(value)}"
                    " as a date or time"
                ) from None
        else:
            reference = self._reference(value)
            limit = reference.ctime_ns if right == "c" else reference.mtime_ns
        if left == "c":
            return lambda found: found.node.ctime_ns > limit
        return lambda found: found.node.mtime_ns > limit

    def _reference(self, name: str) -> EntryStat:
        try:
            return node_at(self._run.call, name, follow=self._run.follow != "never")
        except VshellError as error:
            raise _error(f"{quote_typographic(name)}: {reason(error)}") from None

    def executable(self) -> Test:
        def test(found: Found) -> bool:
            if found.node.kind != SYMLINK:
                return found.node.kind == DIRECTORY or bool(found.node.mode & 0o111)
            try:
                led_to = self._files.stat(found.node.path)
            except VshellError:
                return False
            return led_to.kind == "directory" or bool(led_to.mode & 0o111)

        return test

    def accessible(self) -> Test:
        """Root may read and write everything that is there."""
        return lambda found: found.node.kind != SYMLINK or self._files.exists(found.node.path)


def _split_number(text: str) -> tuple[str, float | None]:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return "", None
    return found[1], float(found[2]) if "." in found[2] else int(found[2])


def _compared(sign: str, value: float, value_of: Callable[[Found], float]) -> Test:
    if sign == "+":
        return lambda found: value_of(found) > value
    if sign == "-":
        return lambda found: value_of(found) < value
    return lambda found: value_of(found) == value


def _from_emacs(pattern: str) -> str:
    """Return an expression of Emacs as a basic one: there, `+` and `?` stand bare."""
    parts = re.findall(r"\\.|\[\^?\]?[^\]]*\]|.", pattern, re.DOTALL)
    swapped = {"+": "\\+", "?": "\\?", "\\+": "+", "\\?": "?"}
    return "".join(swapped.get(part, part) for part in parts)


Make = Callable[[Arguments, str], Test]


def _named(name: str, *, ignore_case: bool) -> tuple[int, Make]:
    return 1, lambda make, text: getattr(make, name)(text, ignore_case=ignore_case)


def _aged(word: str, *, changed: bool = False) -> tuple[int, Make]:
    return 1, lambda make, text: make.age(text, word, changed=changed)


def _newer(left: str, word: str) -> tuple[int, Make]:
    return 1, lambda make, text: make.newer(left, "m", text, word)


def _counted(word: str, value_of: Callable[[Found], float]) -> tuple[int, Make]:
    return 1, lambda make, text: make.count(text, word, value_of)


def _constant(value: bool) -> tuple[int, Make]:
    return 0, lambda _make, _text: lambda _found: value


TESTS: Final[dict[str, tuple[int, Make]]] = {
    "-name": _named("name", ignore_case=False),
    "-iname": _named("name", ignore_case=True),
    "-path": _named("path", ignore_case=False),
    "-wholename": _named("path", ignore_case=False),
    "-ipath": _named("path", ignore_case=True),
    "-iwholename": _named("path", ignore_case=True),
    "-lname": _named("link_name", ignore_case=False),
    "-ilname": _named("link_name", ignore_case=True),
    "-regex": _named("regex", ignore_case=False),
    "-iregex": _named("regex", ignore_case=True),
    "-type": (1, lambda make, text: make.kind(text, "-type")),
    "-xtype": (1, lambda make, text: make.kind(text, "-xtype")),
    "-size": (1, lambda make, text: make.size(text)),
    "-empty": (0, lambda make, _: make.empty()),
    "-perm": (1, lambda make, text: make.permissions(text)),
    "-user": (1, lambda make, text: make.owner(text, "-user")),
    "-group": (1, lambda make, text: make.owner(text, "-group")),
    "-uid": _counted("-uid", lambda _: OWNER_ID),
    "-gid": _counted("-gid", lambda _: OWNER_ID),
    "-links": _counted("-links", lambda found: found.node.nlink),
    "-inum": _counted("-inum", lambda found: found.node.inode),
    "-samefile": (1, lambda make, text: make.same_file(text)),
    "-mtime": _aged("-mtime"),
    "-mmin": _aged("-mmin"),
    "-atime": _aged("-atime"),
    "-amin": _aged("-amin"),
    "-ctime": _aged("-ctime", changed=True),
    "-cmin": _aged("-cmin", changed=True),
    "-newer": _newer("m", "-newer"),
    "-anewer": _newer("a", "-anewer"),
    "-cnewer": _newer("c", "-cnewer"),
    "-executable": (0, lambda make, _: make.executable()),
    "-readable": (0, lambda make, _: make.accessible()),
    "-writable": (0, lambda make, _: make.accessible()),
    "-fstype": (1, lambda _make, text: lambda _found: text == "vshell"),
    "-true": _constant(True),
    "-false": _constant(False),
    "-nouser": _constant(False),
    "-nogroup": _constant(False),
}
"""Each test by its word: whether it takes an argument, and what makes it."""

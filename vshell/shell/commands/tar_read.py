"""`tar`, reading: the members of an archive, listed and extracted.

Archives are hostile: the headers are walked by `vshell.ops.tar_members`, a name with
`..` is refused, a leading `/` removed, and a link that leads elsewhere is made only when
everything else is in place, so that nothing is put through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import absolute
from vshell.ops.tar_members import Member
from vshell.shell.command import Invocation
from vshell.shell.commands.tar_names import Names, TarSettings
from vshell.shell.messages import reason
from vshell.shell.timeformat import format_time, zone_of

_KINDS: Final = {"file": "-", "directory": "d", "symlink": "l", "link": "h", "other": "c"}


class Reading:
    """Goes through an archive's members.

    Args:
        call: The command's run.
        settings: What was asked for.
        data: The archive, uncompressed.
    """

    def __init__(self, call: Invocation, settings: TarSettings, data: bytes) -> None:
        self.call = call
        self._settings = settings
        self._data = data
        self._names = Names(call, settings)
        self._width = 19
        self.failed = False
        self._late: list[tuple[str, Member]] = []
        self._directories: list[tuple[str, Member]] = []

    def _complain(self, message: str) -> None:
        self.call.complain(message)
        self.failed = True

    def chosen(self, members: Sequence[Member]) -> Iterator[tuple[Member, str]]:
        """Yield the members that were asked for, with their changed names."""
        matcher = self._names.matcher()
        for member in members:
            if not matcher.takes(member.name) or self._names.excluded(member.name):
                continue
            name = self._names.transformed(member.name)
            if name is not None:
                yield member, name
        for name in matcher.unused():
            self._complain(f"{name}: Not found in archive")

    # Listing.

    def list(self, members: Sequence[Member]) -> None:
        for member, changed in self.chosen(members):
            name = changed if self._settings.shows_transformed else member.name
            self.call.write(self.line(member, name, verbose=self._settings.verbose) + "\n")

    def line(self, member: Member, name: str, *, verbose: int) -> str:
        shown = shown_name(name) + ("/" if member.kind == "directory" else "")
        if not verbose:
            return shown
        user, group = member.numbers if self._settings.numeric_owner else member.owner
        owner = f"{user}/{group}"
        size = str(member.size)
        self._width = max(self._width, len(owner) + 1 + len(size))
        pattern = "%Y-%m-%d %H:%M:%S" if self._settings.full_time else "%Y-%m-%d %H:%M"
        when = format_time(pattern, member.mtime_ns, zone_of(self.call.environment))
        link = {"symlink": " -> ", "link": " link to "}.get(member.kind, "")
        target = link + shown_name(member.target) if link else ""
        padded = size.rjust(self._width - len(owner))
        return f"{mode_text(member)} {owner}{padded} {when} {shown}{target}"

    # Extracting.

    def extract(self, members: Sequence[Member]) -> None:
        settings, call = self._settings, self.call
        with call.context.changing("tar"):
            for member, name in self.chosen(members):
                if settings.verbose:
                    line = self.line(member, member.name, verbose=settings.verbose - 1) + "\n"
                    (call.stderr if settings.to_stdout else call.stdout).write(
                        line.encode("utf-8", "surrogateescape")
                    )
                if settings.to_stdout:
                    if member.kind == "file":
                        call.stdout.write(self._content(member))
                    continue
                self._extract_one(member, name)
            for place, member in self._late:
                self._guarded(member.name, partial(self._make_link, place, member))
            for place, member in reversed(self._directories):
                self._finish_directory(place, member)

    def _content(self, member: Member) -> bytes:
        return self._data[member.offset : member.offset + member.size]

    def _extract_one(self, member: Member, name: str) -> None:
        safe = self._names.safe(name)
        if safe is None:
            self._complain(f"{name}: Member name contains '..'")
            return
        place = absolute(safe or ".", self._names.directory)
        self._guarded(name, lambda: self._place(member, place, name))

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except VshellError as error:
            self._complain(f"{name}: Cannot open: {reason(error)}")

    def _place(self, member: Member, place: str, name: str) -> None:
        files = self.call.context.files
        if member.kind == "directory":
            if not self._is_directory(place):
                self._clear(place)
                files.mkdir(place, parents=True)
            self._directories.append((place, member))
            return
        there = files.exists(place, follow=False)
        if there and self._settings.keep_old_files:
            self._complain(f"{name}: Cannot open: File exists")
            return
        if there and self._settings.skip_old_files:
            return
        if (
            there
            and self._settings.keep_newer
            and files.stat(place, follow=False).mtime_ns >= member.mtime_ns
        ):
            self._warn(f"Current {name} is newer or same age")
            return
        if member.kind == "other":
            self._complain(f"{name}: Cannot mknod: Operation not permitted")
            return
        if there and files.stat(place, follow=False).kind == "directory" and files.names(place):
            self._complain(f"{name}: Cannot open: File exists")
            return
        if not (self._settings.overwrite and member.kind == "file"):
            self._clear(place)
        if member.kind == "symlink" and leads_elsewhere(member.target):
            self._late.append((place, member))
        elif member.kind in ("symlink", "link"):
            self._make_link(place, member)
        else:
            files.write(place, self._content(member), mode=self._mode(member), parents=True)
            if not self._settings.touch:
                files.utime(place, member.mtime_ns)

    def _warn(self, message: str) -> None:
        self.call.complain(message)

    def _is_directory(self, place: str) -> bool:
        files = self.call.context.files
        return files.exists(place, follow=False) and files.stat(place).kind == "directory"

    def _clear(self, place: str) -> None:
        files = self.call.context.files
        if not files.exists(place, follow=False):
            return
        if files.stat(place, follow=False).kind == "directory":
            files.rmdir(place)
            return
        self.call.context.require_seen(place)
        files.unlink(place)

    def _mode(self, member: Member) -> int:
        return member.mode if self._settings.same_permissions else member.mode & 0o755

    def _make_link(self, place: str, member: Member) -> None:
        files = self.call.context.files
        if member.kind == "symlink":
            if not files.exists(place, follow=False):
                files.symlink(member.target, place, parents=True)
                files.utime(place, member.mtime_ns, follow=False)
            return
        target = self._names.transformed(member.target)
        safe = None if target is None else self._names.safe(target)
        if safe is None:
            self._complain(
                f"{member.name}: Cannot hard link to '{member.target}': Operation not permitted"
            )
            return
        source = absolute(safe or ".", self._names.directory)
        if not files.exists(source, follow=False):
            self._complain(
                f"{member.name}: Cannot hard link to '{shown_name(member.target)}':"
                " No such file or directory"
            )
            return
        files.link(source, place, parents=True)

    def _finish_directory(self, place: str, member: Member) -> None:
        files = self.call.context.files
        if self._is_directory(place):
            files.chmod(place, member.mode & 0o7777)
            if not self._settings.touch:
                files.utime(place, member.mtime_ns)


def leads_elsewhere(target: str) -> bool:
    """Tell whether a link's target may lie outside of the directory that is extracted to."""
    return target.startswith("/") or ".." in target.split("/")


def mode_text(member: Member) -> str:
    """Return type and permissions as `ls -l` shows them."""
    letters = list(_KINDS[member.kind])
    for shift, special, mark in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = member.mode >> shift & 7
        letters += ("r" if bits & 4 else "-", "w" if bits & 2 else "-")
        execute = "x" if bits & 1 else "-"
        if member.mode & special:
            execute = mark if bits & 1 else mark.upper()
        letters.append(execute)
    return "".join(letters)


_ESCAPES: Final = {
    "\n": "\\n",
    "\t": "\\t",
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\r": "\\r",
    "\v": "\\v",
}


def shown_name(name: str) -> str:
    """Return a name with what would spoil a line escaped, as `tar` quotes names."""
    shown = []
    for letter in name:
        if letter in _ESCAPES:
            shown.append(_ESCAPES[letter])
        elif letter.isprintable():
            shown.append(letter)
        else:
            shown += [f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape")]
    return "".join(shown)

"""The files as the engine's own commands, redirections and globs reach them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vshell.errors import NotFoundError, VshellError
from vshell.fs.paths import absolute
from vshell.fs.records import Stat
from vshell.fs.schema import DIRECTORY as DIRECTORY_KIND
from vshell.fs.schema import SYMLINK as SYMLINK_KIND
from vshell.ops.context import Context
from vshell.shell.bashkit_abi import DIRECTORY, FILE, SYMLINK, EngineStat
from vshell.shell.held_input import HELD_PATH
from vshell.shell.messages import reason
from vshell.shell.script_text import file_test
from vshell.shell.shebang import script_of, sourced
from vshell.shell.shell_files import ShellFiles
from vshell.shell.words import quoted

STDIN_PATH = "/dev/.vshell-stdin"
"""Where the engine finds what a script is given as its input."""

_SCRIPT_BYTES: Final = 10_000_000
"""The engine runs no script that is larger."""

_KINDS = {"file": FILE, "directory": DIRECTORY, "symlink": SYMLINK}


class Bridge:
    """An `EngineFiles` over a workspace.

    Every change is a transaction of its own, so that a redirection commits as bash users
    expect, unless the script runs inside one.

    Args:
        files: The files.
        context: Returns whose doing it is: the name for the journal, and what was read.
    """

    def __init__(self, files: ShellFiles, context: Callable[[], Context]) -> None:
        self._files = files
        self._context = context
        self.stdin = b""
        self.script: tuple[str, bytes] | None = None
        """What the engine is to read, once, at a path: a script that is in no file here."""
        self.held: dict[str, bytes] = {}
        """Inputs that are held, by number."""
        self.rewrite: Callable[[str], str] = lambda script: script
        self.reads_scripts = False
        self._asked = ("", "")

    def explain(self, error: Exception) -> str:
        """Return the text that bash would show for an error."""
        return reason(error)

    def read_file(self, path: str) -> bytes:
        if path == STDIN_PATH:
            return self.stdin
        if path.startswith(HELD_PATH):
            return self.held.pop(path[len(HELD_PATH) :], b"")
        if self.script is not None and self.script[0] == path:
            script, self.script = self.script[1], None
            return script
        try:
            data, stat = self._files.read_with_stat(path)
        except NotFoundError:
            name = self._files.program_at(path)
            if name is None:
                raise
            return f'{quoted(name)} "$@"\n'.encode()
        self._context().note_read(path, stat.hash)
        return self._as_script(path, data, stat)

    def _as_script(self, path: str, data: bytes, stat: Stat) -> bytes:
        """Return what is read, in another form when it is read to be run.

        The engine asks once what a script is that it runs by its path, twice what it reads
        from, and not at all what it runs by `bash` or `source`; nor what others of its own
        commands read, so that it depends on the script whether there are any.
        """
        before, self._asked = self._asked, ("", "")
        if before[1] != path:
            is_script = data.startswith(b"#!") or path.endswith((".sh", ".bash"))
            return sourced(data, self.rewrite) if self.reads_scripts and is_script else data
        if before[0] != path and stat.mode & 0o111 and len(data) <= _SCRIPT_BYTES:
            return script_of(data, lambda name: name in self._files.programs, self.rewrite)
        return data

    def write_file(self, path: str, data: bytes) -> None:
        self._asked = ("", "")
        context = self._context()
        self._files.settle(path)
        with context.changing("shell"):
            context.require_seen(path)
            written = self._files.write(path, data)
        context.note_read(path, written.after.hex())

    def append_file(self, path: str, data: bytes) -> None:
        self._asked = ("", "")
        context = self._context()
        self._files.settle(path)
        with context.changing("shell"):
            written = self._files.append(path, data)
        before = None if written.before is None else written.before.hex()
        context.note_appended(path, before, written.after.hex())

    def mkdir(self, path: str, recursive: bool) -> None:
        with self._context().changing("shell"):
            self._files.mkdir(path, parents=recursive, exist_ok=recursive)

    def remove(self, path: str, recursive: bool) -> None:
        with self._context().changing("shell"):
            if recursive:
                self._files.remove_tree(path)
            elif self._files.stat(path, follow=False).kind == "directory":
                self._files.rmdir(path)
            else:
                self._files.unlink(path)

    def stat(self, path: str) -> EngineStat:
        self._asked = (self._asked[1], path)
        if self.script is not None and self.script[0] == path:
            return EngineStat(FILE, len(self.script[1]), 0o644, 0)
        if path.startswith(HELD_PATH):
            return EngineStat(FILE, 0, 0o444, 0)
        if path == STDIN_PATH:
            return EngineStat(FILE, len(self.stdin), 0o444, 0)
        asked = file_test(path)
        if asked is not None:
            first, pair, second = asked[1].partition("\0")
            return self._compared(asked[0], first, second) if pair else self._tested(*asked)
        try:
            stat = self._files.stat(path)
        except (NotFoundError, VshellError):
            # A link that leads nowhere is still a link: `[ -L link ]`.
            stat = self._files.stat(path, follow=False)
        return EngineStat(_KINDS[stat.kind], stat.size, stat.mode, stat.mtime_ns)

    def _tested(self, letter: str, path: str) -> EngineStat:
        """Return that something is there when a test such as `-L` is true."""
        if not path:
            raise NotFoundError("there is no such file", path=path)
        stat = self._files.stat(absolute(path), follow=letter not in "Lh")
        holds = {
            "a": True,
            "d": stat.kind == "directory",
            "e": True,
            "r": True,
            "w": True,
            "x": stat.kind == "directory" or bool(stat.mode & 0o111),
            "L": stat.kind == "symlink",
            "h": stat.kind == "symlink",
            "c": self._files.is_device(path),
            "u": bool(stat.mode & 0o4000),
            "g": bool(stat.mode & 0o2000),
            "k": bool(stat.mode & 0o1000),
            "O": True,
            "G": True,
        }
        if not holds.get(letter, False):
            raise NotFoundError(f"it is not that: {path}", path=path)
        return EngineStat(FILE, stat.size, stat.mode, stat.mtime_ns)

    def _compared(self, letter: str, first: str, second: str) -> EngineStat:
        """Return that something is there when `-ef`, `-nt` or `-ot` is true of two paths."""
        one, other = self._found(first), self._found(second)
        if letter == "o":
            one, other, letter = other, one, "n"
        if letter == "e":
            holds = one is not None and other is not None and one.inode == other.inode
        else:
            holds = one is not None and (other is None or one.mtime_ns > other.mtime_ns)
        if not holds:
            raise NotFoundError(f"it is not so: {first}", path=first)
        return EngineStat(FILE, 0, 0o444, 0)

    def _found(self, path: str) -> Stat | None:
        try:
            return self._files.stat(absolute(path))
        except VshellError:
            return None

    def read_dir(self, path: str) -> list[tuple[str, EngineStat]]:
        found, _ = self._files.list_directory(path)
        entries = []
        for entry in found:
            kind = entry.kind
            if kind == SYMLINK_KIND:  # a glob such as `*/` looks at what it leads to
                kind = self._kind_of_target(entry.path)
            shown = (
                DIRECTORY if kind == DIRECTORY_KIND else SYMLINK if kind == SYMLINK_KIND else FILE
            )
            name = entry.path.rpartition("/")[2]
            entries.append((name, EngineStat(shown, entry.size, entry.mode, entry.mtime_ns)))
        return entries

    def _kind_of_target(self, path: str) -> int:
        try:
            kind = self._files.stat(path).kind
        except VshellError:
            return SYMLINK_KIND
        return DIRECTORY_KIND if kind == "directory" else 1

    def exists(self, path: str) -> bool:
        return (
            path == STDIN_PATH
            or path.startswith(HELD_PATH)
            or self._files.exists(path, follow=False)
        )

    def rename(self, source: str, target: str) -> None:
        with self._context().changing("shell"):
            self._files.rename(source, target)

    def copy(self, source: str, target: str) -> None:
        context = self._context()
        with context.changing("shell"):
            if self._files.exists(target):
                context.require_seen(target)
                self._files.overwrite_from(source, target)
            else:
                self._files.copy_entry(self._files.realpath(source), target)

    def symlink(self, target: str, path: str) -> None:
        with self._context().changing("shell"):
            self._files.symlink(target, path)

    def read_link(self, path: str) -> str:
        return self._files.readlink(path)

    def chmod(self, path: str, mode: int) -> None:
        with self._context().changing("shell"):
            self._files.chmod(path, mode)

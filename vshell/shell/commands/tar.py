"""`tar`: archives made, listed, extracted and added to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vshell.errors import DecodeError, TooLargeError, UnavailableError, VshellError
from vshell.fs.paths import absolute
from vshell.fs.records import Stat
from vshell.ops.tar_members import BLOCK_BYTES, Member, read_members
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, open_input, write_file
from vshell.shell.commands.tar_names import Names, TarSettings, settings_of
from vshell.shell.commands.tar_read import Reading, shown_name
from vshell.shell.compression import BadStreamError, compressed, decompressed, format_of
from vshell.shell.messages import reason
from vshell.shell.options import help_text, parse, version_text

_RECORD_BYTES: Final = 20 * BLOCK_BYTES
_HINT: Final = "Try 'tar --help' or 'tar --usage' for more information.\n"
_FAILED: Final = "Exiting with failure status due to previous errors"
_FATAL: Final = "Error is not recoverable: exiting now"


def run(call: Invocation) -> int:
    try:
        parsed = parse(TAR, _modern(call.operands), call.environment)
    except UsageError as error:
        call.complain(str(error))
        call.stderr.write(_HINT.encode())
        return 64 if str(error).startswith(("unrecognized", "invalid option")) else 2
    if parsed.flag("help") or parsed.flag("version"):
        call.write(help_text(TAR) if parsed.flag("help") else version_text(TAR))
        return 0
    call.parsed = parsed
    try:
        return _run(call, settings_of(call))
    except Failure as failure:
        call.complain(str(failure))
        return failure.status


def _modern(words: Sequence[str]) -> list[str]:
    """Turn `xzf FILE` into `-x -z -f FILE`: the letters take their values in turn."""
    if not words or words[0].startswith("-"):
        return list(words)
    valued = [option for option in TAR.options if option.value and not option.optional]
    values = {flag[1] for option in valued for flag in option.flags if len(flag) == 2}
    rest = list(words[1:])
    modern: list[str] = []
    for letter in words[0]:
        modern.append(f"-{letter}")
        if letter in values:
            if not rest:
                raise UsageError(f"Old option '{letter}' requires an argument.")
            modern.append(rest.pop(0))
    return modern + rest


def _run(call: Invocation, settings: TarSettings) -> int:
    if settings.mode == "c":
        return _create(call, settings)
    if settings.mode in ("r", "u"):
        return _append(call, settings)
    if settings.mode in ("d", "A", "delete"):
        raise Failure(
            "this operation is not supported here: extract, and create the archive anew", 2
        )
    data = _data(call, settings)
    reading = Reading(call, settings, data)
    members = _members(call, data, reading)
    if settings.mode == "t":
        reading.list(members)
    else:
        reading.extract(members)
    if reading.failed:
        call.complain(_FAILED)
        return 2
    return 0


# Reading.


def _data(call: Invocation, settings: TarSettings) -> bytes:
    """Return the archive, uncompressed.

    Raises:
        Failure: It cannot be read, or is compressed otherwise than was said.
    """
    try:
        data = open_input(call, _where(call, settings.archive)).read()
    except VshellError as error:
        what = "Cannot read" if error.code == "is_directory" else "Cannot open"
        raise Failure(f"{settings.archive}: {what}: {reason(error)}\ntar: {_FATAL}", 2) from None
    found = format_of(data) or settings.format
    if found is None:
        return data
    if settings.format is not None and settings.format is not found:
        found = settings.format
    try:
        return b"".join(decompressed(iter([data]), found))
    except BadStreamError as error:
        call.stderr.write(f"\n{found.name}: stdin: {error}\n".encode())
        raise Failure(f"Child returned status 1\ntar: {_FATAL}", 2) from None


def _where(call: Invocation, name: str) -> str:
    return name if name == "-" else absolute(name, call.context.cwd)


def _members(call: Invocation, data: bytes, reading: Reading) -> list[Member]:
    members: list[Member] = []
    if not data:
        return members
    try:
        members.extend(
            read_members(lambda offset, size: data[offset : offset + size], len(data), "archive")
        )
    except (DecodeError, TooLargeError, UnavailableError) as error:
        if not members:
            call.complain("This does not look like a tar archive")
            call.complain("Skipping to next header")
        elif isinstance(error, DecodeError):
            call.complain(
                f"Unexpected EOF in archive\ntar: {_FATAL}" if "cut" in str(error) else str(error)
            )
        else:
            call.complain(str(error))
        reading.failed = True
    return members


# Writing.


class _Packing:
    """Makes the members of an archive."""

    def __init__(self, call: Invocation, settings: TarSettings) -> None:
        self._call = call
        self._settings = settings
        self._files = call.context.files
        self._names = Names(call, settings)
        self._linked: dict[int, str] = {}
        self._skipped = self._archive_inode()
        self.size = 0
        self.failed = False
        self.packed: list[str] = []
        self.newest: dict[str, int] = {}

    def _archive_inode(self) -> int | None:
        if self._settings.archive == "-":
            return None
        path = absolute(self._settings.archive, self._call.context.cwd)
        return self._files.stat(path).inode if self._files.exists(path) else None

    def members(self) -> Iterator[bytes]:
        for directory, name in self._settings.members:
            path = absolute(name, directory)
            if not self._files.exists(path, follow=False):
                self._call.complain(f"{name}: Cannot stat: No such file or directory")
                self.failed = True
                continue
            yield from self._tree(path, name)

    def _tree(self, path: str, name: str) -> Iterator[bytes]:
        if self._names.excluded(name):
            return
        stat = self._files.stat(path, follow=self._settings.dereference)
        if stat.inode == self._skipped and stat.kind == "file":
            self._call.complain(f"{name}: file is the archive; not dumped")
            return
        yield from self._member(path, name, stat)
        if stat.kind != "directory" or not self._settings.recursive:
            return
        for base in sorted(self._files.names(path)):
            yield from self._tree(f"{path.rstrip('/')}/{base}", f"{name.rstrip('/')}/{base}")

    def _stored_name(self, name: str) -> str:
        stored = name
        if not self._settings.absolute_names:
            parts = stored.split("/")
            if ".." in parts:
                last = len(parts) - 1 - parts[::-1].index("..")
                prefix = "/".join(parts[: last + 1]) + "/"
                stored = "/".join(parts[last + 1 :])
                self._names.warn_once(f"Removing leading `{prefix}' from member names")
            if stored.startswith("/"):
                self._names.warn_once("Removing leading `/' from member names")
                stored = stored.lstrip("/")
        return stored or "."

    def _member(self, path: str, name: str, stat: Stat) -> Iterator[bytes]:
        stored = self._names.transformed(self._stored_name(name))
        if stored is None or (self.newest.get(stored.rstrip("/"), -1) >= stat.mtime_ns // 10**9):
            return
        first = self._linked.setdefault(stat.inode, stored) if stat.kind == "file" else stored
        is_linked = first != stored and stat.nlink > 1
        target = (
            first if is_linked else self._files.readlink(path) if stat.kind == "symlink" else ""
        )
        header = _header(stored, stat, target, is_linked, self._settings)
        self.size += len(header)
        yield header
        self._report(stored, stat)
        if stat.kind == "file" and not is_linked and stat.size:
            data = self._files.read(path)
            padding = bytes(-len(data) % BLOCK_BYTES)
            self.size += len(data) + len(padding)
            yield data
            yield padding
        self.packed.append(path)

    def _report(self, name: str, stat: Stat) -> None:
        if not self._settings.verbose:
            return
        out = self._call.stderr if self._settings.archive == "-" else self._call.stdout
        slash = "/" if stat.kind == "directory" and not name.endswith("/") else ""
        if self._settings.verbose > 1:
            kind = stat.kind
            member = Member(
                name.rstrip("/"),
                kind,
                stat.size if kind == "file" else 0,
                stat.mode,
                stat.mtime_ns,
                "",
                0,
            )
            line = Reading(self._call, self._settings, b"").line(
                member, name.rstrip("/"), verbose=1
            )
        else:
            line = shown_name(name) + slash
        out.write(f"{line}\n".encode("utf-8", "surrogateescape"))

    def end(self) -> bytes:
        """Two blocks of zeros, and as many as fill the last record."""
        size = self.size + 2 * BLOCK_BYTES
        return bytes(2 * BLOCK_BYTES + -size % _RECORD_BYTES)


def _header(name: str, stat: Stat, target: str, is_linked: bool, settings: TarSettings) -> bytes:
    import tarfile

    info = tarfile.TarInfo(name)
    info.mode = stat.mode
    if settings.permissions is not None:
        is_directory = stat.kind == "directory"
        info.mode = settings.permissions.apply(stat.mode, is_directory=is_directory)
    info.mtime = (stat.mtime_ns if settings.mtime_ns is None else settings.mtime_ns) // 10**9
    info.linkname = target
    info.uname, info.uid = settings.owner
    info.gname, info.gid = settings.group
    if is_linked:
        info.type = tarfile.LNKTYPE
    elif stat.kind == "file":
        info.size = stat.size
    else:
        info.type = tarfile.DIRTYPE if stat.kind == "directory" else tarfile.SYMTYPE
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _create(call: Invocation, settings: TarSettings) -> int:
    if not settings.members and not call.parsed.flag("files-from"):
        call.complain("Cowardly refusing to create an empty archive")
        call.stderr.write(_HINT.encode())
        return 2
    packing = _Packing(call, settings)
    return _write(call, settings, packing, b"")


def _append(call: Invocation, settings: TarSettings) -> int:
    if settings.format is not None:
        raise Failure(f"Cannot update compressed archives\ntar: {_FATAL}", 2)
    before = b""
    packing = _Packing(call, settings)
    if call.context.files.exists(call.context.resolve(settings.archive)):
        data = _data(call, settings)
        reading = Reading(call, settings, data)
        members = _members(call, data, reading)
        if reading.failed:
            call.complain(_FAILED)
            return 2
        if members:
            last = members[-1]
            end = last.offset + -(-last.size // BLOCK_BYTES) * BLOCK_BYTES
            before = data[:end]
        if settings.mode == "u":
            packing.newest = {member.name: member.mtime_ns // 10**9 for member in members}
    packing.size = len(before)
    return _write(call, settings, packing, before)


def _write(call: Invocation, settings: TarSettings, packing: _Packing, before: bytes) -> int:
    def everything() -> Iterator[bytes]:
        if before:
            yield before
        yield from packing.members()
        yield packing.end()

    pieces = everything()
    if settings.format is not None:
        pieces = compressed(pieces, settings.format, 9 if settings.format.name == "bzip2" else 6)
    if settings.archive == "-":
        with BufferedOutput(call.stdout) as out:
            for piece in pieces:
                out.write(piece)
    else:
        data = b"".join(pieces)
        try:
            write_file(call, absolute(settings.archive, call.context.cwd), data)
        except VshellError as error:
            raise Failure(
                f"{settings.archive}: Cannot open: {reason(error)}\ntar: {_FATAL}", 2
            ) from None
    if settings.remove_files:
        _remove(call, packing)
    if packing.failed:
        call.complain(_FAILED)
        return 2
    return 0


def _remove(call: Invocation, packing: _Packing) -> None:
    files = call.context.files
    with call.context.changing("tar"):
        for path in reversed(packing.packed):
            if files.stat(path, follow=False).kind == "directory":
                files.rmdir(path)
            else:
                files.unlink(path)


TAR: Final = Command(
    "tar",
    "[OPTION...] [FILE]...",
    "Save many files together into a single archive, and restore them from it.",
    run,
    options=(
        Option(("-c", "--create"), "Create a new archive."),
        Option(("-x", "--extract"), "Extract files from an archive."),
        Option(("--get",), "The same."),
        Option(("-t", "--list"), "List the contents of an archive."),
        Option(("-r", "--append"), "Append files to the end of an archive."),
        Option(("-u", "--update"), "Only append files newer than copy in archive."),
        Option(("-d", "--diff"), ""),
        Option(("--compare",), ""),
        Option(("--delete",), ""),
        Option(("-A", "--catenate"), ""),
        Option(("-f", "--file"), "Use archive file ARCHIVE.", "ARCHIVE"),
        Option(("-v", "--verbose"), "Verbosely list files processed."),
        Option(("-z", "--gzip"), "Filter the archive through gzip."),
        Option(("--gunzip",), ""),
        Option(("--ungzip",), ""),
        Option(("-j", "--bzip2"), "Filter the archive through bzip2."),
        Option(("-J", "--xz"), "Filter the archive through xz."),
        Option(("-a", "--auto-compress"), "Use the archive's suffix to determine the compression."),
        Option(("-I", "--use-compress-program"), "Filter through PROG: gzip, bzip2, xz.", "PROG"),
        Option(("-C", "--directory"), "Change to directory DIR.", "DIR"),
        Option(("--strip-components",), "Strip NUMBER leading components from names.", "NUMBER"),
        Option(("--exclude",), "Exclude files, given as a PATTERN.", "PATTERN"),
        Option(("-X", "--exclude-from"), "Exclude patterns listed in FILE.", "FILE"),
        Option(("--exclude-vcs",), "Exclude version control system directories."),
        Option(("-T", "--files-from"), "Get names to extract or create from FILE.", "FILE"),
        Option(("--null",), "-T reads null-terminated names."),
        Option(("-O", "--to-stdout"), "Extract files to standard output."),
        Option(("-k", "--keep-old-files"), "Don't replace existing files, treat them as errors."),
        Option(("--skip-old-files",), "Don't replace existing files, silently skip over them."),
        Option(("--keep-newer-files",), "Don't replace files that are newer than their copies."),
        Option(("--overwrite",), "Overwrite existing files, through their links."),
        Option(("-U", "--unlink-first"), "Remove each file prior to extracting over it (default)."),
        Option(("-p", "--preserve-permissions"), "Extract the permissions of files (default)."),
        Option(("--same-permissions",), ""),
        Option(("--no-same-permissions",), "Apply the user's umask."),
        Option(("--same-owner",), "Accepted: a workspace has one owner."),
        Option(("-o", "--no-same-owner"), "Accepted: a workspace has one owner."),
        Option(("--owner",), "Say that the members belong to this user.", "NAME"),
        Option(("--group",), "Say that the members belong to this group.", "NAME"),
        Option(("-m", "--touch"), "Don't extract file modified time."),
        Option(("-P", "--absolute-names"), "Don't strip leading '/'s from file names."),
        Option(("-h", "--dereference"), "Follow symlinks."),
        Option(("--no-recursion",), "Avoid descending automatically in directories."),
        Option(("--recursion",), "Recurse into directories (default)."),
        Option(("--wildcards",), "Use wildcards for the names of members."),
        Option(("--no-wildcards",), "Names are taken as they are (default)."),
        Option(("--numeric-owner",), "Always use numbers for user/group names."),
        Option(("--full-time",), "Print file time to its full resolution."),
        Option(("--mtime",), "Set mtime for added files from DATE-OR-FILE.", "DATE-OR-FILE"),
        Option(("--mode",), "Force (symbolic) mode CHANGES for added files.", "CHANGES"),
        Option(("--show-transformed-names",), "Show names as changed by --strip and --transform."),
        Option(("--show-stored-names",), ""),
        Option(("--sort",), "Accepted: directories are sorted by name.", "ORDER"),
        Option(("-H", "--format"), "Accepted: archives are of the GNU format.", "FORMAT"),
        Option(
            ("--transform", "--xform"),
            "Use sed replace EXPRESSION to transform names.",
            "EXPRESSION",
        ),
        Option(("--remove-files",), "Remove files after adding them to the archive."),
        Option(("-b", "--blocking-factor"), "Accepted.", "BLOCKS"),
        Option(("--warning",), "Accepted.", "KEYWORD"),
    ),
    raw=True,
    usage_status=2,
)
COMMANDS: Final = (TAR,)

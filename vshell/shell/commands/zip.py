"""`zip` and `unzip`: archives that others open with a click."""

from __future__ import annotations

import io
import stat as modes
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import join
from vshell.fs.records import Stat
from vshell.ops.compress import MAX_DECOMPRESSED_BYTES
from vshell.ops.tar_members import MAX_MEMBERS
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import open_input, to_bytes, write_file
from vshell.shell.messages import reason
from vshell.shell.options import help_text, parse, version_text

_FIRST_YEAR: Final = 1980
_LAST_YEAR: Final = 2107


class _Stop(Exception):  # noqa: N818 - it is how the command ends
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _guarded(run: Callable[[Invocation], int]) -> Callable[[Invocation], int]:
    def guarded(call: Invocation) -> int:
        try:
            return run(call)
        except _Stop as stop:
            out = call.stdout if str(stop).startswith("\nzip error: Nothing") else call.stderr
            out.write(to_bytes(str(stop)))
            return stop.status

    return guarded


# zip.


@_guarded
def run_zip(call: Invocation) -> int:
    if not _parsed(call, ZIP):
        return 0
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand", status=16)
    archive, *names = call.operands
    excluded = parsed.values("exclude")
    target = archive if archive == "-" or "." in archive.rpartition("/")[2] else f"{archive}.zip"
    if parsed.flag("names-stdin"):
        names += call.stdin.read().decode("utf-8", "surrogateescape").splitlines()
    old = _old_entries(call, target)
    if parsed.flag("delete"):
        return _delete(call, target, old, names)
    return _add(call, target, old, names, excluded)


def _with_lists(words: Sequence[str]) -> list[str]:
    """Repeat `-x` for each word of the list that follows it."""
    result: list[str] = []
    in_list = False
    for word in words:
        if word in ("-x", "--exclude"):
            in_list = True
        elif word.startswith("-") and len(word) > 1:
            in_list = False
            result.append(word)
        elif in_list:
            if word != "@":
                result += ("-x", word)
        else:
            result.append(word)
    return result


def _parsed(call: Invocation, command: Command) -> bool:
    """Parse the words; return whether the command is to go on."""
    call.parsed = parse(command, _with_lists(call.operands), call.environment)
    if call.parsed.flag("help") or call.parsed.flag("version"):
        call.write(help_text(command) if call.parsed.flag("help") else version_text(command))
        return False
    return True


Entries = dict[str, tuple[zipfile.ZipInfo, bytes]]


def _old_entries(call: Invocation, target: str) -> Entries:
    if target == "-" or not call.context.files.exists(call.context.resolve(target)):
        return {}
    with _opened(call, target, program="zip") as archive:
        return {info.filename: (info, archive.read(info)) for info in archive.infolist()}


def _add(
    call: Invocation, target: str, old: Entries, names: Sequence[str], excluded: Sequence[str]
) -> int:
    parsed = call.parsed
    files = call.context.files
    lines: list[str] = []
    status = 0
    added = False
    for name in names:
        if name == "-":
            old["-"] = (_info("-", None, call), call.stdin.read())
            lines.append(_said("adding", "-", old["-"][1], call))
            added = True
            continue
        path = call.context.resolve(name)
        if not files.exists(path, follow=False):
            call.stdout.write(to_bytes(f"\tzip warning: name not matched: {name}\n"))
            status = 12
            continue
        for place, stored in _tree(call, path, name.lstrip("/")):
            if any(
                fnmatchcase(stored, pattern) for pattern in excluded
            ) or place == call.context.resolve(target):
                continue
            lines.append(_put(call, old, place, stored))
            added = True
    if not added:
        raise _Stop(f"\nzip error: Nothing to do! ({target})\n", 12)
    if not parsed.flag("quiet"):
        out = call.stderr if target == "-" else call.stdout
        out.write(to_bytes("".join(lines)))
    _save(call, target, old)
    if parsed.flag("move"):
        _remove(call, names)
    return status if status and not added else 0


def _tree(call: Invocation, path: str, name: str) -> Iterator[tuple[str, str]]:
    files = call.context.files
    stat = files.stat(path, follow=not call.parsed.flag("symlinks"))
    junk = call.parsed.flag("junk-paths")
    if stat.kind != "directory":
        yield path, name.rpartition("/")[2] if junk else _clean(name)
        return
    clean = _clean(name)
    if clean and not junk and not call.parsed.flag("no-dir-entries"):
        yield path, clean.rstrip("/") + "/"
    if call.parsed.flag("recurse-paths"):
        for base in sorted(files.names(path)):
            yield from _tree(call, join(path, base), f"{name.rstrip('/')}/{base}")


def _clean(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts)


def _put(call: Invocation, entries: Entries, path: str, name: str) -> str:
    files = call.context.files
    stat = files.stat(path, follow=not call.parsed.flag("symlinks"))
    data = b""
    if stat.kind == "file":
        data = files.read(path)
    elif stat.kind == "symlink":
        data = to_bytes(files.readlink(path))
    verb = "updating" if name in entries else "  adding"
    entries[name] = (_info(name, stat, call), data)
    return _said(verb, name, data, call)


def _said(verb: str, name: str, data: bytes, call: Invocation) -> str:
    packed = _packed_size(data, _level(call))
    how = "stored 0%" if packed >= len(data) else f"deflated {_percent(len(data), packed)}%"
    return f"{verb.rjust(8)}: {name} ({how})\n"


def _percent(size: int, packed: int) -> int:
    return int(100 * (size - packed) / size + 0.5)


def _level(call: Invocation) -> int:
    return next((int(name) for name, _ in reversed(call.parsed.given) if name.isdigit()), 6)


def _packed_size(data: bytes, level: int) -> int:
    if not data or not level:
        return len(data)
    compressor = zlib.compressobj(level, wbits=-15)
    return len(compressor.compress(data)) + len(compressor.flush())


def _info(name: str, stat: Stat | None, call: Invocation) -> zipfile.ZipInfo:
    time_ns = stat.mtime_ns if stat else call.context.files.store.now()
    when = datetime.fromtimestamp(max(0, time_ns // 10**9), UTC)
    year = min(max(when.year, _FIRST_YEAR), _LAST_YEAR)
    info = zipfile.ZipInfo(name, (year, when.month, when.day, when.hour, when.minute, when.second))
    kind = {"directory": modes.S_IFDIR, "symlink": modes.S_IFLNK}.get(
        stat.kind if stat else "", modes.S_IFREG
    )
    info.external_attr = (kind | (stat.mode if stat else 0o644)) << 16 | (
        0x10 if kind == modes.S_IFDIR else 0
    )
    info.create_system = 3
    # The time in UTC, to the second: the one above is what DOS could hold.
    info.extra = struct.pack("<HHBl", 0x5455, 5, 1, min(time_ns // 10**9, 2**31 - 1))
    return info


def _save(call: Invocation, target: str, entries: Entries) -> None:
    out = io.BytesIO()
    level = _level(call)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level or 6) as archive:
        for info, data in entries.values():
            shrinks = _packed_size(data, level) < len(data)
            info.compress_type = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
            archive.writestr(info, data, compresslevel=level or 6)
    if target == "-":
        call.stdout.write(out.getvalue())
        return
    try:
        write_file(call, target, out.getvalue())
    except VshellError as error:
        raise _Stop(
            f"zip I/O error: {reason(error)}\nzip error: Could not create output file ({target})\n",
            15,
        ) from None


def _delete(call: Invocation, target: str, old: Entries, patterns: Sequence[str]) -> int:
    gone = [name for name in old if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not gone:
        raise _Stop(f"\nzip error: Nothing to do! ({target})\n", 12)
    for name in gone:
        del old[name]
        if not call.parsed.flag("quiet"):
            call.write(f"deleting: {name}\n")
    _save(call, target, old)
    return 0


def _remove(call: Invocation, names: Sequence[str]) -> None:
    with call.context.changing("zip"):
        for name in names:
            path = call.context.resolve(name)
            if call.context.files.exists(path, follow=False):
                call.context.files.remove_tree(path)


# unzip.


def _opened(call: Invocation, name: str, *, program: str) -> zipfile.ZipFile:
    try:
        data = open_input(call, name).read()
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError):
        if program == "unzip":
            call.write(f"Archive:  {name}\n")
        raise _Stop(
            _not_a_zip(name)
            if program == "unzip"
            else f"\nzip error: Zip file structure invalid ({name})\n",
            9 if program == "unzip" else 3,
        ) from None
    except VshellError as error:
        raise _Stop(f"{program}:  cannot open {name}: {reason(error)}\n", 9) from None
    if len(infos) > MAX_MEMBERS:
        raise _Stop(f"{program}:  the archive has more than {MAX_MEMBERS} entries\n", 5)
    if sum(info.file_size for info in infos) > MAX_DECOMPRESSED_BYTES or sum(
        info.compress_size for info in infos
    ) > len(data):
        raise _Stop("error: invalid zip file with overlapped components (possible zip bomb)\n", 12)
    return archive


def _not_a_zip(name: str) -> str:
    return (
        "  End-of-central-directory signature not found.  Either this file is not\n"
        "  a zipfile, or it constitutes one disk of a multi-part archive.  In the\n"
        "  latter case the central directory and zipfile comment will be found on\n"
        "  the last disk(s) of this archive.\n"
        f"unzip:  cannot find zipfile directory in one of {name} or\n"
        f"        {name}.zip, and cannot find {name}.ZIP, period.\n"
    )


@_guarded
def run_unzip(call: Invocation) -> int:
    if not _parsed(call, UNZIP):
        return 0
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand", status=10)
    name, *patterns = call.operands
    found = _find(call, name)
    archive = _opened(call, found, program="unzip")
    excluded = parsed.values("exclude")
    chosen = _chosen(archive.infolist(), patterns, excluded, ignore_case=parsed.flag("C"))
    if parsed.flag("names"):
        for info in chosen:
            call.write(f"{info.filename}\n")
        return 0
    if parsed.flag("list"):
        return _list(call, found, chosen, verbose=parsed.flag("verbose"))
    if parsed.flag("verbose"):
        return _list(call, found, chosen, verbose=True)
    if parsed.flag("test"):
        return _test(call, found, archive, chosen)
    with archive:
        if parsed.flag("pipe") or parsed.flag("stdout"):
            return _pipe(call, found, archive, chosen, patterns)
        return _extract(call, found, archive, chosen, patterns)


def _find(call: Invocation, name: str) -> str:
    for candidate in (name, f"{name}.zip", f"{name}.ZIP"):
        path = call.context.resolve(candidate)
        if call.context.files.exists(path) and call.context.files.stat(path).kind == "file":
            return candidate
    raise _Stop(f"unzip:  cannot find or open {name}, {name}.zip or {name}.ZIP.\n", 9)


def _chosen(
    infos: Sequence[zipfile.ZipInfo],
    patterns: Sequence[str],
    excluded: Sequence[str],
    *,
    ignore_case: bool,
) -> list[zipfile.ZipInfo]:
    def fits(name: str, pattern: str) -> bool:
        return (
            fnmatchcase(name.lower(), pattern.lower())
            if ignore_case
            else fnmatchcase(name, pattern)
        )

    return [
        info
        for info in infos
        if (not patterns or any(fits(info.filename, pattern) for pattern in patterns))
        and not any(fits(info.filename, pattern) for pattern in excluded)
    ]


def _when(info: zipfile.ZipInfo) -> str:
    year, month, day, hour, minute, _ = info.date_time
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"


def _list(call: Invocation, name: str, infos: Sequence[zipfile.ZipInfo], *, verbose: bool) -> int:
    quiet = call.parsed.flag("quiet")
    size = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    lines = [] if quiet else [f"Archive:  {name}"]
    plural = "" if len(infos) == 1 else "s"
    if verbose:
        if not quiet:
            lines += [
                " Length   Method    Size  Cmpr    Date    Time   CRC-32   Name",
                "--------  ------  ------- ---- ---------- ----- --------  ----",
            ]
        for info in infos:
            method = "Stored" if info.compress_type == zipfile.ZIP_STORED else "Defl:N"
            ratio = _percent(info.file_size, info.compress_size) if info.file_size else 0
            lines.append(
                f"{info.file_size:8}  {method} {info.compress_size:8} {ratio:3}% {_when(info)}"
                f" {info.CRC:08x}  {info.filename}"
            )
        if not quiet:
            total = _percent(size, packed) if size else 0
            lines += [
                "--------          -------  ---                            -------",
                f"{size:8}         {packed:8} {total:3}%{' ' * 28}{len(infos)} file{plural}",
            ]
    else:
        if not quiet:
            lines += ["  Length      Date    Time    Name", "---------  ---------- -----   ----"]
        lines += [f"{info.file_size:9}  {_when(info)}   {info.filename}" for info in infos]
        if not quiet:
            lines += [
                "---------                     -------",
                f"{size:9}                     {len(infos)} file{plural}",
            ]
    call.write("\n".join(lines) + "\n")
    return 0


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return what a member holds; never more than it says.

    Raises:
        _Stop: It is damaged, or packed in a way that is not supported.
    """
    if info.flag_bits & 1:
        raise _Stop(f"   skipping: {info.filename}  unable to get password\n", 82)
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise _Stop(f"  error:  invalid compressed data to inflate {info.filename}\n", 2) from None
    except (NotImplementedError, RuntimeError):
        raise _Stop(
            f"   skipping: {info.filename}  unsupported compression method {info.compress_type}\n",
            81,
        ) from None
    return data[: info.file_size]


def _test(
    call: Invocation, name: str, archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]
) -> int:
    quiet = call.parsed.flag("quiet")
    if not quiet:
        call.write(f"Archive:  {name}\n")
    for info in infos:
        _content(archive, info)
        if not quiet:
            call.write(f"    testing: {info.filename:<22}   OK\n")
    call.write(f"No errors detected in compressed data of {name}.\n")
    return 0


def _pipe(
    call: Invocation,
    name: str,
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    patterns: Sequence[str],
) -> int:
    banner = (
        call.parsed.flag("stdout")
        and not call.parsed.flag("pipe")
        and not call.parsed.flag("quiet")
    )
    if banner:
        call.write(f"Archive:  {name}\n")
    for info in infos:
        if info.is_dir():
            continue
        if banner:
            verb = " extracting" if info.compress_type == zipfile.ZIP_STORED else "  inflating"
            call.write(f"{verb}: {info.filename:<22}  \n")
        call.stdout.write(_content(archive, info))
        if banner:
            call.write("\n")
    return _unmatched(call, infos, patterns)


def _unmatched(call: Invocation, infos: Sequence[zipfile.ZipInfo], patterns: Sequence[str]) -> int:
    status = 0
    for pattern in patterns:
        if not any(fnmatchcase(info.filename, pattern) for info in infos):
            call.stderr.write(to_bytes(f"caution: filename not matched:  {pattern}\n"))
            status = 11
    return status


def _extract(
    call: Invocation,
    name: str,
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    patterns: Sequence[str],
) -> int:
    parsed = call.parsed
    directory = parsed.value("d")
    base = call.context.cwd if directory is None else call.context.resolve(directory)
    quiet = parsed.flag("quiet")
    if not quiet:
        call.write(f"Archive:  {name}\n")
    status = 0
    with call.context.changing("unzip"):
        call.context.files.mkdir(base, parents=True, exist_ok=True)
        late: list[tuple[str, zipfile.ZipInfo]] = []
        for info in infos:
            stored = (
                info.filename.rpartition("/")[2] if parsed.flag("junk-paths") else info.filename
            )
            if not stored:
                continue
            safe = _safe(stored)
            if safe != stored.rstrip("/"):
                call.stderr.write(
                    to_bytes(f'warning:  skipped "../" path component(s) in {stored}\n')
                    if ".." in stored.split("/")
                    else to_bytes(f"warning:  stripped absolute path spec from {stored}\n")
                )
                status = max(status, 1)
            if not safe:
                continue
            shown = f"{directory.rstrip('/')}/{safe}" if directory else safe
            line = _place(call, archive, info, join(base, safe), shown, late=late)
            if line and not quiet:
                call.write(line)
        for place, info in late:
            call.context.files.symlink(
                _content(archive, info).decode("utf-8", "surrogateescape"), place, parents=True
            )
    return max(status, _unmatched(call, infos, patterns))


def _safe(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))


def _place(
    call: Invocation,
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    place: str,
    shown: str,
    *,
    late: list[tuple[str, zipfile.ZipInfo]],
) -> str:
    """Put one member in its place; links wait until the end, so that nothing goes through one."""
    files = call.context.files
    mode = info.external_attr >> 16
    if info.is_dir():
        new = not files.exists(place)
        files.mkdir(place, parents=True, exist_ok=True)
        if mode & 0o777:
            files.chmod(place, mode & 0o777)
        return f"   creating: {shown}/\n" if new else ""
    parsed = call.parsed
    there = files.exists(place, follow=False)
    if there and parsed.flag("never-overwrite"):
        return ""
    if there and not parsed.flag("overwrite"):
        # Nobody can be asked: what `unzip` does when its input has ended.
        call.stderr.write(to_bytes(f"replace {shown}? [y]es, [n]o, [A]ll, [N]one, [r]ename: "))
        raise _Stop(' NULL\n(EOF or read error, treating as "[N]one" ...)\n', 1)
    data = _content(archive, info)
    if there:
        call.context.require_seen(place)
        if files.stat(place, follow=False).kind != "file":
            files.remove_tree(place)
    if modes.S_ISLNK(mode):
        late.append((place, info))
        return f"    linking: {shown:<22}  -> {data.decode('utf-8', 'surrogateescape')} \n"
    files.write(place, data, mode=(mode & 0o777) or 0o644, parents=True)
    files.utime(place, _mtime_ns(info))
    verb = " extracting" if info.compress_type == zipfile.ZIP_STORED else "  inflating"
    return f"{verb}: {shown:<22}  \n"


def _mtime_ns(info: zipfile.ZipInfo) -> int:
    extra = info.extra
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        if kind == 0x5455 and size >= 5 and place + 9 <= len(extra) and extra[place + 4] & 1:
            (seconds,) = struct.unpack_from("<l", extra, place + 5)
            return int(seconds) * 10**9
        place += 4 + size
    try:
        return int(datetime(*info.date_time, tzinfo=UTC).timestamp()) * 10**9
    except ValueError:
        return 0


ZIP: Final = Command(
    "zip",
    "[options] zipfile [file]...",
    "Package and compress files.",
    run_zip,
    options=(
        Option(("-r", "--recurse-paths"), "Recurse into directories."),
        Option(("-j", "--junk-paths"), "Don't record directory names."),
        Option(("-d", "--delete"), "Delete entries in zipfile."),
        Option(("-m", "--move"), "Move into zipfile: delete the files."),
        Option(("-q", "--quiet"), "Quiet operation."),
        Option(("-v", "--verbose"), "Accepted."),
        Option(("-u", "--update"), "Accepted: all named files are put in."),
        Option(("-x", "--exclude"), "Exclude the following names.", "LIST"),
        Option(("-y", "--symlinks"), "Store symbolic links as the link."),
        Option(("-D", "--no-dir-entries"), "Do not add directory entries."),
        Option(("-X", "--no-extra"), "Accepted."),
        Option(("-@", "--names-stdin"), "Read names from stdin."),
        *(Option((f"-{level}",), "") for level in range(10)),
    ),
    raw=True,
    usage_status=16,
)
UNZIP: Final = Command(
    "unzip",
    "[options] file[.zip] [list] [-x xlist] [-d exdir]",
    "List, test and extract compressed files in a ZIP archive.",
    run_unzip,
    options=(
        Option(("-l", "--list"), "List files (short format)."),
        Option(("-v", "--verbose"), "List verbosely."),
        Option(("-t", "--test"), "Test compressed archive data."),
        Option(("-p", "--pipe"), "Extract files to pipe, no messages."),
        Option(("-c", "--stdout"), "Extract files to stdout, with names."),
        Option(("-Z", "--names"), "List names only."),
        Option(("-1",), ""),
        Option(("-d",), "Extract files into exdir.", "exdir"),
        Option(("-x", "--exclude"), "Exclude files that follow.", "xlist"),
        Option(("-j", "--junk-paths"), "Do not make directories."),
        Option(("-n", "--never-overwrite"), "Never overwrite existing files."),
        Option(("-o", "--overwrite"), "Overwrite files without prompting."),
        Option(("-q", "--quiet"), "Quiet mode."),
        Option(("-C",), "Match filenames case-insensitively."),
    ),
    raw=True,
    usage_status=10,
)
COMMANDS: Final = (ZIP, UNZIP)

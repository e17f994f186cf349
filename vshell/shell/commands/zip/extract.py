"""`unzip`: files, taken out of an archive."""

from __future__ import annotations

import stat as modes
import zipfile
import zlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import join
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import to_bytes
from vshell.shell.commands.zip.create import parsed_words
from vshell.shell.commands.zip.entries import (
    Stop,
    guarded,
    mtime_of,
    opened_archive,
    percent,
    safe_name,
    shown_time,
)
from vshell.shell.messages import reason


@guarded
def run_unzip(call: Invocation) -> int:
    if not parsed_words(call, UNZIP):
        return 0
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand", status=10)
    name, *patterns = call.operands
    found = _find(call, name)
    archive = opened_archive(call, found, program="unzip")
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
    raise Stop(f"unzip:  cannot find or open {name}, {name}.zip or {name}.ZIP.\n", 9)


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
            ratio = percent(info.file_size, info.compress_size) if info.file_size else 0
            lines.append(
                f"{info.file_size:8}  {method} {info.compress_size:8} {ratio:3}% {shown_time(info)}"
                f" {info.CRC:08x}  {info.filename}"
            )
        if not quiet:
            total = percent(size, packed) if size else 0
            lines += [
                "--------          -------  ---                            -------",
                f"{size:8}         {packed:8} {total:3}%{' ' * 28}{len(infos)} file{plural}",
            ]
    else:
        if not quiet:
            lines += ["  Length      Date    Time    Name", "---------  ---------- -----   ----"]
        lines += [f"{info.file_size:9}  {shown_time(info)}   {info.filename}" for info in infos]
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
        Stop: It is damaged, or packed in a way that is not supported.
    """
    if info.flag_bits & 1:
        raise Stop(f"   skipping: {info.filename}  unable to get password\n", 82)
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise Stop(f"  error:  invalid compressed data to inflate {info.filename}\n", 2) from None
    except (NotImplementedError, RuntimeError):
        raise Stop(
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
    return _unmatched(call, archive, patterns)


def _unmatched(call: Invocation, archive: zipfile.ZipFile, patterns: Sequence[str]) -> int:
    status = 0
    for pattern in patterns:
        if not any(fnmatchcase(info.filename, pattern) for info in archive.infolist()):
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
        try:
            call.context.files.mkdir(base, exist_ok=True)
        except VshellError as error:
            raise Stop(
                f"checkdir:  cannot create extraction directory: {directory}\n"
                f"           {reason(error)}\n",
                2,
            ) from None
        late: list[tuple[str, zipfile.ZipInfo]] = []
        for info in infos:
            stored = (
                info.filename.rpartition("/")[2] if parsed.flag("junk-paths") else info.filename
            )
            if not stored:
                continue
            safe = safe_name(stored)
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
    return max(status, _unmatched(call, archive, patterns))


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
        raise Stop(' NULL\n(EOF or read error, treating as "[N]one" ...)\n', 1)
    data = _content(archive, info)
    if there:
        call.context.require_seen(place)
        if files.stat(place, follow=False).kind != "file":
            files.remove_tree(place)
    if modes.S_ISLNK(mode):
        late.append((place, info))
        return f"    linking: {shown:<22}  -> {data.decode('utf-8', 'surrogateescape')} \n"
    files.write(place, data, mode=(mode & 0o777) or 0o644, parents=True)
    files.utime(place, mtime_of(info))
    verb = " extracting" if info.compress_type == zipfile.ZIP_STORED else "  inflating"
    return f"{verb}: {shown:<22}  \n"


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

"""The scripting methods on archives and compressed files; `state_methods` says what each does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from vshell.ops import archive, compress
from vshell.ops.archive import ArchiveEntry
from vshell.ops.compress import CompressResult
from vshell.ops.context import Context
from vshell.ops.state_text import resolve


def create_archive(context: Context, path: str, sources: Sequence[str]) -> dict[str, Any]:
    places = [resolve(context, source) for source in sources]
    made = archive.create_archive(context, resolve(context, path), places)
    return {"path": path, "entries": _entries(made.entries), "bytesWritten": made.bytes}


def list_archive(context: Context, path: str) -> list[dict[str, Any]]:
    found = archive.list_archive(context, resolve(context, path))
    return _entries(sorted(found, key=lambda entry: entry.path))


def extract_archive(context: Context, path: str, destination: str) -> dict[str, Any]:
    done = archive.extract_archive(context, resolve(context, path), resolve(context, destination))
    return {"destination": destination, "entries": _entries(done.entries)}


def _entries(entries: Iterable[ArchiveEntry]) -> list[dict[str, Any]]:
    return [{"path": entry.path, "type": entry.kind, "size": entry.size} for entry in entries]


def compress_file(context: Context, path: str, destination: str | None) -> dict[str, Any]:
    target = f"{path}.gz" if destination is None else destination
    done = compress.compress(context, resolve(context, path), resolve(context, target))
    return _compressed(path, target, done)


def decompress_file(context: Context, path: str, destination: str | None) -> dict[str, Any]:
    bare = path[:-3] if path.lower().endswith(".gz") else path
    target = bare if destination is None else destination
    done = compress.decompress(context, resolve(context, path), resolve(context, target))
    return _compressed(path, target, done)


def _compressed(path: str, destination: str, done: CompressResult) -> dict[str, Any]:
    return {"path": path, "destination": destination, "bytesWritten": done.bytes}

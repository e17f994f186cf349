"""bashkit's file-system interface, version 1: a table of C functions, made with ctypes.

The names, numbers and layouts are those of the capsule `bashkit.FileSystem.v1`
(`crates/bashkit/src/interop/fs.rs` in its repository). Any `EngineFiles` becomes such a
capsule. The functions are called from the engine's own threads.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from vshell.shell.words import from_engine, to_engine

CAPSULE_NAME: Final = b"bashkit.FileSystem.v1"
_ABI_VERSION: Final = 1
_OK, _FAILED = 0, 1

FILE: Final = 0
DIRECTORY: Final = 1
SYMLINK: Final = 2
FIFO: Final = 3


class EngineStat(NamedTuple):
    """What the engine is told of a file: its type, size, permission bits and time."""

    kind: int
    size: int
    mode: int
    mtime_ns: int


class EngineFiles(Protocol):
    """What the engine's own commands, redirections and globs do with files.

    Paths are absolute and normalised. Failures are `OSError` or `ValueError`; the
    engine is given their errno and their text.
    """

    def read_file(self, path: str) -> bytes: ...
    def write_file(self, path: str, data: bytes) -> None: ...
    def append_file(self, path: str, data: bytes) -> None: ...
    def mkdir(self, path: str, recursive: bool) -> None: ...
    def remove(self, path: str, recursive: bool) -> None: ...
    def stat(self, path: str) -> EngineStat: ...
    def read_dir(self, path: str) -> list[tuple[str, EngineStat]]: ...
    def exists(self, path: str) -> bool: ...
    def rename(self, source: str, target: str) -> None: ...
    def copy(self, source: str, target: str) -> None: ...
    def symlink(self, target: str, path: str) -> None: ...
    def read_link(self, path: str) -> str: ...
    def chmod(self, path: str, mode: int) -> None: ...


class _Bytes(ctypes.Structure):
    """Borrowed text or data of the engine's, or bytes of ours that it gives back."""

    _fields_ = [("pointer", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Error(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("message", _Bytes)]


class _Metadata(ctypes.Structure):
    _fields_ = [
        ("file_type", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 7),
        ("size", ctypes.c_uint64),
        ("mode", ctypes.c_uint32),
        ("modified_s", ctypes.c_int64),
        ("modified_ns", ctypes.c_uint32),
        ("created_s", ctypes.c_int64),
        ("created_ns", ctypes.c_uint32),
    ]


class _Entry(ctypes.Structure):
    _fields_ = [("name", _Bytes), ("metadata", _Metadata)]


class _Entries(ctypes.Structure):
    _fields_ = [("pointer", ctypes.POINTER(_Entry)), ("length", ctypes.c_size_t)]


_ERROR: Final = ctypes.POINTER(_Error)
_INSTANCE: Final = ctypes.c_void_p
_STATUS: Final = ctypes.c_uint32


def _function(*arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(_STATUS, _INSTANCE, *arguments, _ERROR)


_SIGNATURES: Final[dict[str, Any]] = {
    "read_file": _function(_Bytes, ctypes.POINTER(_Bytes)),
    "write_file": _function(_Bytes, _Bytes),
    "append_file": _function(_Bytes, _Bytes),
    "mkdir": _function(_Bytes, ctypes.c_bool),
    "remove": _function(_Bytes, ctypes.c_bool),
    "stat": _function(_Bytes, ctypes.POINTER(_Metadata)),
    "read_dir": _function(_Bytes, ctypes.POINTER(_Entries)),
    "exists": _function(_Bytes, ctypes.POINTER(ctypes.c_bool)),
    "rename": _function(_Bytes, _Bytes),
    "copy": _function(_Bytes, _Bytes),
    "symlink": _function(_Bytes, _Bytes),
    "read_link": _function(_Bytes, ctypes.POINTER(_Bytes)),
    "chmod": _function(_Bytes, ctypes.c_uint32),
    "free_bytes": ctypes.CFUNCTYPE(None, _INSTANCE, _Bytes),
    "free_dir_entries": ctypes.CFUNCTYPE(None, _INSTANCE, _Entries),
}
_COUNTED: Final = ctypes.CFUNCTYPE(None, _INSTANCE)


class _Table(ctypes.Structure):
    _fields_ = list(_SIGNATURES.items())


class _Handle(ctypes.Structure):
    _fields_ = [
        ("abi_version", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("instance", ctypes.c_void_p),
        ("retain", _COUNTED),
        ("release", _COUNTED),
        ("table", ctypes.POINTER(_Table)),
    ]


_KINDS: Final = {
    errno.ENOENT: 1,
    errno.EEXIST: 2,
    errno.EACCES: 3,
    errno.EPERM: 3,
    errno.EROFS: 3,
    errno.EINVAL: 4,
    errno.EISDIR: 5,
    errno.ENOTDIR: 6,
    errno.ENOTEMPTY: 7,
    errno.ENOSYS: 8,
}

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class FileTable:
    """The C functions for one `EngineFiles`; must live as long as the engine uses them.

    Args:
        files: What is called.
        explain: Returns the text for an exception, without a path.
    """

    def __init__(self, files: EngineFiles, explain: Callable[[Exception], str]) -> None:
        self._files = files
        self._explain = explain
        self._lent: dict[int, Any] = {}
        functions = {
            name: kind(self._guarded(getattr(self, f"_{name}")))
            for name, kind in _SIGNATURES.items()
            if not name.startswith("free_")
        }
        functions["free_bytes"] = _SIGNATURES["free_bytes"](self._free_bytes)
        functions["free_dir_entries"] = _SIGNATURES["free_dir_entries"](self._free_entries)
        self._table = _Table(**functions)
        # The table outlives the engine, so nothing needs counting.
        counted = _COUNTED(lambda _instance: None)
        self._handle = _Handle(_ABI_VERSION, 0, 1, counted, counted, ctypes.pointer(self._table))

    def capsule(self) -> Any:
        """Return the capsule for `bashkit.FileSystem.from_capsule`."""
        return _new_capsule(ctypes.addressof(self._handle), CAPSULE_NAME, None)

    def _guarded(self, function: Callable[..., None]) -> Callable[..., int]:
        def call(_instance: int, *arguments: Any) -> int:
            try:
                function(*arguments[:-1])
            except Exception as error:  # noqa: BLE001 - C cannot be given an exception
                told = arguments[-1].contents
                told.kind = _KINDS.get(getattr(error, "errno", None) or 0, 0)
                told.message = self._lend(self._explain(error).encode("utf-8", "replace"))
                return _FAILED
            return _OK

        return call

    def _lend(self, data: bytes) -> _Bytes:
        if not data:
            return _Bytes(None, 0)
        buffer = ctypes.create_string_buffer(data, len(data))
        address = ctypes.addressof(buffer)
        self._lent[address] = buffer
        return _Bytes(address, len(data))

    def _free_bytes(self, _instance: int, lent: _Bytes) -> None:
        self._lent.pop(lent.pointer or 0, None)

    def _free_entries(self, _instance: int, entries: _Entries) -> None:
        for position in range(entries.length):
            self._lent.pop(entries.pointer[position].name.pointer or 0, None)
        if entries.pointer:
            self._lent.pop(ctypes.addressof(entries.pointer.contents), None)

    def _read_file(self, path: _Bytes, out: Any) -> None:
        out[0] = self._lend(self._files.read_file(_text(path)))

    def _write_file(self, path: _Bytes, data: _Bytes) -> None:
        self._files.write_file(_text(path), _data(data))

    def _append_file(self, path: _Bytes, data: _Bytes) -> None:
        self._files.append_file(_text(path), _data(data))

    def _mkdir(self, path: _Bytes, recursive: bool) -> None:
        self._files.mkdir(_text(path), recursive)

    def _remove(self, path: _Bytes, recursive: bool) -> None:
        self._files.remove(_text(path), recursive)

    def _stat(self, path: _Bytes, out: Any) -> None:
        _fill(out[0], self._files.stat(_text(path)))

    def _read_dir(self, path: _Bytes, out: Any) -> None:
        found = self._files.read_dir(_text(path))
        entries = (_Entry * max(1, len(found)))()
        for entry, (name, stat) in zip(entries, found, strict=False):
            entry.name = self._lend(to_engine(name).encode("utf-8", "replace"))
            _fill(entry.metadata, stat)
        self._lent[ctypes.addressof(entries)] = entries
        out[0] = _Entries(ctypes.cast(entries, ctypes.POINTER(_Entry)), len(found))

    def _exists(self, path: _Bytes, out: Any) -> None:
        out[0] = self._files.exists(_text(path))

    def _rename(self, source: _Bytes, target: _Bytes) -> None:
        self._files.rename(_text(source), _text(target))

    def _copy(self, source: _Bytes, target: _Bytes) -> None:
        self._files.copy(_text(source), _text(target))

    def _symlink(self, target: _Bytes, path: _Bytes) -> None:
        self._files.symlink(_text(target), _text(path))

    def _read_link(self, path: _Bytes, out: Any) -> None:
        target = to_engine(self._files.read_link(_text(path)))
        out[0] = self._lend(target.encode("utf-8", "replace"))

    def _chmod(self, path: _Bytes, mode: int) -> None:
        self._files.chmod(_text(path), mode)


def _data(borrowed: _Bytes) -> bytes:
    return ctypes.string_at(borrowed.pointer, borrowed.length) if borrowed.length else b""


def _text(borrowed: _Bytes) -> str:
    return from_engine(_data(borrowed).decode("utf-8", "surrogateescape"))


def _fill(metadata: _Metadata, stat: EngineStat) -> None:
    metadata.file_type = stat.kind
    metadata.size = stat.size
    metadata.mode = stat.mode
    seconds, nanoseconds = divmod(stat.mtime_ns, 1_000_000_000)
    metadata.modified_s = metadata.created_s = seconds
    metadata.modified_ns = metadata.created_ns = nanoseconds

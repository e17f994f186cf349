"""What kind of file bytes and names stand for: media types by extension and by first bytes.

The tables are small on purpose: what agents meet, with the names that IANA's registry
(https://www.iana.org/assignments/media-types) or common use gives them. Python's
`mimetypes` is not asked: it reads the host's configuration, and takes TypeScript for
video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SNIFFED_BYTES", "MediaType", "extension_of", "media_type"]

SNIFFED_BYTES: Final = 8192
"""How many bytes from the beginning of a file decide."""

BINARY: Final = "application/octet-stream"
TEXT: Final = "text/plain"

_TEXT_TYPES: Final = {
    "application/ecmascript": "es",
    "application/graphql": "gql graphql",
    "application/javascript": "cjs js jsx mjs",
    "application/json": "json map webmanifest",
    "application/jsonl": "jsonl ndjson",
    "application/sql": "sql",
    "application/toml": "toml",
    "application/typescript": "cts mts ts tsx",
    "application/xml": "xml xsd xsl xslt",
    "application/yaml": "yaml yml",
    "image/svg+xml": "svg",
    "text/css": "css less sass scss",
    "text/csv": "csv",
    "text/html": "htm html xhtml",
    "text/markdown": "markdown md mdx",
    "text/plain": "log text txt",
    "text/tab-separated-values": "tsv",
    "text/x-c": "c cc cpp cxx h hh hpp",
    "text/x-diff": "diff patch",
    "text/x-go": "go",
    "text/x-java-source": "java",
    "text/x-kotlin": "kt kts",
    "text/x-php": "php",
    "text/x-python": "py pyi pyw",
    "text/x-ruby": "rb",
    "text/x-rust": "rs",
    "text/x-shellscript": "bash sh zsh",
    "text/x-swift": "swift",
}
_BINARY_TYPES: Final = {
    "application/epub+zip": "epub",
    "application/gzip": "gz tgz",
    "application/java-archive": "jar war",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.rar": "rar",
    "application/vnd.sqlite3": "db3 sqlite sqlite3",
    "application/wasm": "wasm",
    "application/x-7z-compressed": "7z",
    "application/x-bzip2": "bz2",
    "application/x-python-code": "pyc",
    "application/x-tar": "tar",
    "application/x-xz": "xz",
    "application/zip": "whl zip",
    "application/zstd": "zst",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "oga ogg opus",
    "audio/wav": "wav",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpeg jpg",
    "image/png": "png",
    "image/tiff": "tif tiff",
    "image/vnd.microsoft.icon": "ico",
    "image/webp": "webp",
    "video/mp4": "m4v mp4",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}
_BY_EXTENSION: Final = {
    extension: name
    for types in (_TEXT_TYPES, _BINARY_TYPES)
    for name, extensions in types.items()
    for extension in extensions.split()
}


@dataclass(frozen=True, slots=True)
class _Signature:
    """Bytes that files of a type hold at an offset, and perhaps more of them at another."""

    type: str
    start: bytes
    offset: int = 0
    then: bytes = b""
    then_offset: int = 0

    def matches(self, head: bytes) -> bool:
        return head.startswith(self.start, self.offset) and head.startswith(
            self.then, self.then_offset
        )


# The first that matches decides. All are formats of bytes: text is never taken for one.
_SIGNATURES: Final = (
    _Signature("image/png", b"\x89PNG\r\n\x1a\n"),
    _Signature("image/jpeg", b"\xff\xd8\xff"),
    _Signature("image/gif", b"GIF87a"),
    _Signature("image/gif", b"GIF89a"),
    _Signature("image/webp", b"RIFF", then=b"WEBP", then_offset=8),
    _Signature("audio/wav", b"RIFF", then=b"WAVE", then_offset=8),
    _Signature("video/x-msvideo", b"RIFF", then=b"AVI ", then_offset=8),
    _Signature("image/tiff", b"II*\0"),
    _Signature("image/tiff", b"MM\0*"),
    _Signature("image/vnd.microsoft.icon", b"\0\0\1\0"),
    _Signature("image/bmp", b"BM", then=b"\0\0\0\0", then_offset=6),
    _Signature("image/vnd.adobe.photoshop", b"8BPS\0\1"),
    _Signature("image/avif", b"\0\0", then=b"ftypavif", then_offset=4),
    _Signature("image/heic", b"\0\0", then=b"ftyphei", then_offset=4),
    _Signature("image/heic", b"\0\0", then=b"ftypmif1", then_offset=4),
    _Signature("video/quicktime", b"\0\0", then=b"ftypqt", then_offset=4),
    _Signature("audio/mp4", b"\0\0", then=b"ftypM4A", then_offset=4),
    _Signature("video/mp4", b"\0\0", then=b"ftyp", then_offset=4),
    _Signature("application/pdf", b"%PDF-"),
    _Signature("application/zip", b"PK\3\4"),
    _Signature("application/zip", b"PK\5\6"),
    _Signature("application/gzip", b"\x1f\x8b\x08"),
    _Signature("application/x-bzip2", b"BZh", then=b"1AY&SY", then_offset=4),
    _Signature("application/x-xz", b"\xfd7zXZ\0"),
    _Signature("application/zstd", b"\x28\xb5\x2f\xfd"),
    _Signature("application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c"),
    _Signature("application/vnd.rar", b"Rar!\x1a\x07"),
    _Signature("application/x-tar", b"ustar\0", 257),
    _Signature("application/x-tar", b"ustar ", 257),
    _Signature("application/vnd.sqlite3", b"SQLite format 3\0"),
    _Signature("application/x-elf", b"\x7fELF"),
    _Signature("application/wasm", b"\0asm"),
    _Signature("application/x-mach-binary", b"\xcf\xfa\xed\xfe"),
    _Signature("application/java-vm", b"\xca\xfe\xba\xbe"),
    _Signature("application/vnd.microsoft.portable-executable", b"MZ", then=b"\0", then_offset=3),
    _Signature("application/x-cfb", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _Signature("application/vnd.apache.parquet", b"PAR1\x15"),
    _Signature("font/woff", b"wOFF\0\1"),
    _Signature("font/woff", b"wOFFOTTO"),
    _Signature("font/woff2", b"wOF2\0\1"),
    _Signature("font/woff2", b"wOF2OTTO"),
    _Signature("font/otf", b"OTTO\0"),
    _Signature("font/ttf", b"\0\1\0\0\0"),
    _Signature("audio/flac", b"fLaC\0"),
    _Signature("audio/midi", b"MThd\0"),
    _Signature("audio/ogg", b"OggS\0"),
    _Signature("audio/mpeg", b"ID3\2"),
    _Signature("audio/mpeg", b"ID3\3"),
    _Signature("audio/mpeg", b"ID3\4"),
    _Signature("audio/mpeg", b"\xff\xfb"),
    _Signature("audio/mpeg", b"\xff\xf3"),
    _Signature("audio/mpeg", b"\xff\xf2"),
    _Signature("video/webm", b"\x1a\x45\xdf\xa3"),
    _Signature("video/x-flv", b"FLV\1"),
)

# A signature may tell only the container, of which the extension tells the use.
_CONTAINERS: Final = {
    "application/zip": {
        "application/epub+zip",
        "application/java-archive",
        *(name for name in _BINARY_TYPES if "opendocument" in name or "openxml" in name),
    },
    "application/x-cfb": {
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
    },
    "audio/ogg": {"video/ogg"},
    "video/webm": {"video/x-matroska"},
    "video/mp4": {"audio/mp4", "video/quicktime"},
}


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a file is.

    Attributes:
        name: Its media type, such as `"text/html"`.
        binary: Whether its bytes are no text.
    """

    name: str
    binary: bool


def extension_of(name: str) -> str | None:
    """Return what follows the last dot of a file's name, in lower case; None without one."""
    return name.rpartition(".")[2].lower() or None if "." in name else None


def media_type(head: bytes, extension: str | None) -> MediaType:
    """Return what a file is.

    Its first bytes decide when they are those of a known format, else its extension, and
    without a known one whether the bytes are text: whether none is a control character
    below the tab.

    Args:
        head: The first `SNIFFED_BYTES` bytes, or all of fewer.
        extension: From `extension_of`.
    """
    by_extension = _BY_EXTENSION.get(extension or "")
    found = next((each.type for each in _SIGNATURES if each.matches(head)), None)
    if found is not None:
        use = by_extension if by_extension in _CONTAINERS.get(found, ()) else None
        return MediaType(use or found, binary=True)
    binary = _has_controls(head)
    return MediaType(by_extension or (BINARY if binary else TEXT), binary)


_CONTROLS: Final = bytes(range(9))


def _has_controls(head: bytes) -> bool:
    head = head[:SNIFFED_BYTES]
    return len(head.translate(None, _CONTROLS)) < len(head)

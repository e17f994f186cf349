"""The fixed limits of a workspace, each with its reason.

Sizes are in bytes, times in seconds.
"""

from __future__ import annotations

from typing import Final

MAX_NAME_BYTES: Final = 255
"""The longest name in a directory: what Linux file systems take, so an export never fails on it."""

MAX_PATH_BYTES: Final = 4096
"""The longest path that a caller may give: Linux's PATH_MAX."""

MAX_SYMLINKS: Final = 40
"""How many symbolic links one path may pass through: Linux's MAXSYMLINKS."""

INLINE_BYTES: Final = 256 * 1024
"""Content up to this size is one row; measured to read and write fastest there."""

CHUNK_BYTES: Final = 256 * 1024
"""Larger content is a list of chunks of this size, so a ranged write copies one of them."""

MAX_FILE_BYTES: Final = 64 * 1024**3
"""The largest file: its list of chunks has 262,144 entries, which a write still copies quickly."""

MAX_TEXT_BYTES: Final = 64 * 1024**2
"""The largest file that line-based operations (read, edit, diff, patch) load at once."""

LOCK_TIMEOUT_S: Final = 30.0
"""How long a writer waits for its turn before it gives up with `timeout`."""

READ_LINES: Final = 2000
"""Lines that `read` returns by default."""

READ_BYTES: Final = 256 * 1024
"""Bytes that `read` returns by default."""

LIST_ENTRIES: Final = 1000
"""Entries that `ls` returns by default."""

WALK_ENTRIES: Final = 100_000
"""Entries that `find`, `glob` and `tree` return by default."""

GREP_MATCHES: Final = 10_000
"""Matches that `grep` returns by default."""

GREP_LINE_CHARACTERS: Final = 2000
"""Longer lines in grep's results are cut around the match."""

PATTERN_TIMEOUT_S: Final = 10.0
"""How long a caller's pattern may run by default."""

"""Which paths a search looks at: globs to include and to exclude, as in `rg -g` and `.gitignore`.

A pattern without a slash, but for one at its end, is about names and matches at any
depth. One with a slash is about paths, and starts where the search does. One that
ends in a slash stands for all that is in such directories.
"""

from __future__ import annotations

from collections.abc import Iterable

from vshell.errors import BadPatternError
from vshell.text.globs import Glob, compile_glob

__all__ = ["PathFilter"]


class PathFilter:
    """A set of patterns, compiled.

    Args:
        include: A pattern, or several: a file must match one of them. None includes all.
            A pattern that begins with `!` excludes.
        exclude: A pattern, or several: a file must not match any of them, nor lie in a
            directory that does.

    Attributes:
        suffixes: When the names of all files that are accepted end with one of a few
            texts, these; otherwise None. For narrowing a query.
        accepts_all: Whether no file is left out.

    Raises:
        BadPatternError: A pattern is malformed.
    """

    def __init__(
        self, include: str | Iterable[str] | None = None, exclude: str | Iterable[str] | None = None
    ) -> None:
        given = _several(include)
        wanted = [pattern for pattern in given if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in given if pattern.startswith("!")]
        self._include = [_compile(pattern) for pattern in wanted]
        self._exclude = [_compile(pattern) for pattern in (*unwanted, *_several(exclude))]
        self._all = not wanted and (include is None or bool(unwanted))
        self._excluded_directories: dict[str, bool] = {"": False}
        self._included_directories: dict[str, bool] = {"": False}
        self.accepts_all = self._all and not self._exclude
        self.suffixes = None if self._all else _suffixes(self._include)

    def accepts(self, path: str) -> bool:
        """Tell whether a file is to be looked at; `path` starts where the search does."""
        if self._exclude and self._within(path, self._exclude, self._excluded_directories):
            return False
        if self._all or any(glob.match(path, is_directory=False) for glob in self._include):
            return True
        whole = [glob for glob in self._include if glob.directories_only]
        return bool(whole) and self._within(path, whole, self._included_directories)

    def _within(self, path: str, globs: list[Glob], known: dict[str, bool]) -> bool:
        """Tell whether a file matches, or a directory that it lies in."""
        if any(glob.match(path, is_directory=False) for glob in globs):
            return True
        directory = path.rpartition("/")[0]
        missing = []
        while directory not in known:
            missing.append(directory)
            directory = directory.rpartition("/")[0]
        within = known[directory]
        for name in reversed(missing):
            within = known[name] = within or any(glob.match(name) for glob in globs)
        return within


def _several(patterns: str | Iterable[str] | None) -> list[str]:
    if patterns is None:
        return []
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _compile(pattern: str) -> Glob:
    try:
        pattern.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadPatternError(
            "the pattern holds a character that no path has (a lone surrogate)",
            data={"position": error.start},
        ) from None
    names_only = pattern and "/" not in pattern.rstrip("/")
    return compile_glob(f"**/{pattern}" if names_only else pattern)


def _suffixes(globs: list[Glob]) -> list[str] | None:
    found: list[str] = []
    for glob in globs:
        if glob.name_suffixes is None or glob.directories_only:
            return None
        found += glob.name_suffixes
    return found

"""Where the paths of a patch lead, and what is there."""

from __future__ import annotations

from collections.abc import Callable

from vshell.errors import TooLargeError
from vshell.fs.paths import absolute, encode, join, split
from vshell.fs.reading import FileReader
from vshell.limits import MAX_TEXT_BYTES


def place(
    files: FileReader, root: str, name: str, is_gone: Callable[[str], bool] = lambda _: False
) -> str:
    """Return the one path that all names of the same place have; a link at its end stays.

    Args:
        files: The files.
        root: The directory that the name is in, also if it begins with `/`; without links.
        name: A path of a patch.
        is_gone: Tells whether what is at a path is not there any more.

    Raises:
        InvalidPathError, NameTooLongError: It is no possible path.
        NotFoundError: A link on the way leads nowhere.
    """
    whole = absolute(join(root, name.lstrip("/")))
    *directories, last = whole[len(root) :].strip("/").split("/")
    reached, is_there = root, True
    for directory in directories:
        reached = join(reached, directory)
        is_there = is_there and not is_gone(reached) and files.exists(reached, follow=False)
        if is_there:
            reached = files.realpath(reached)
    return join(reached, last)


def above(path: str) -> list[str]:
    """Return the directories that a path is in, but for the root, the nearest first."""
    found = []
    directory = split(path)[0]
    while directory != "/":
        found.append(directory)
        directory = split(directory)[0]
    return found


def load(files: FileReader, path: str) -> bytes:
    """Return the content of a file, or what a link says.

    Raises:
        TooLargeError: The file has more than 64 MiB.
    """
    found = files.stat(path, follow=False)
    if found.kind == "symlink":
        return encode(files.readlink(path))
    if found.size > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"the file has {found.size} bytes, too many to patch: {path}",
            path=path,
            hint=f"{MAX_TEXT_BYTES} are allowed",
        )
    return files.read(path)

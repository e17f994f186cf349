"""Git repositories of the host, through dulwich: opening them, and what git allows in them.

No `git` is run and no hook: objects are read and written, and one branch is moved.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from typing import TYPE_CHECKING, Final, TypeVar

from vshell.errors import (
    CorruptError,
    InvalidPathError,
    NotEmptyError,
    NotFoundError,
    UnavailableError,
    VshellError,
)
from vshell.fs.paths import decode
from vshell.host import HostPath, translated
from vshell.limits import MAX_NAME_BYTES

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile
    from dulwich.refs import Ref
    from dulwich.repo import Repo

Object = TypeVar("Object", bound="ShaFile")

DIRECTORY_MODE: Final = 0o40000
FILE_MODE: Final = 0o100644
EXECUTABLE_MODE: Final = 0o100755
SYMLINK_MODE: Final = 0o120000
SUBMODULE_MODE: Final = 0o160000

_REPOSITORY: Final = "the git repository"

# As `git fsck` has it: names that a file system of macOS takes for others, as it passes
# over these characters, and that one of Windows does, with its short names, what follows a
# colon, and dots and spaces at the end (CVE-2014-9390, CVE-2019-1352, CVE-2019-1353).
_PASSED_OVER: Final = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_END: Final = r"[ .]*(?::.*)?"
_DOT_GIT: Final = re.compile(rf"(?:\.git|git~1){_END}", re.DOTALL)
_MODULES: Final = re.compile(rf"(?:\.gitmodules|gitmod~[1-4]|gi7eba~\d){_END}", re.DOTALL)
_ATTRIBUTES: Final = re.compile(rf"(?:\.gitattributes|gitatt~[1-4]|gi7d29~\d){_END}", re.DOTALL)
_ATTRIBUTE_LINE_BYTES: Final = 2047


def require_dulwich() -> None:
    """Make sure that dulwich is installed.

    Raises:
        UnavailableError: It is not.
    """
    try:
        import dulwich.repo  # noqa: F401 - only whether it is there
    except ImportError:
        raise UnavailableError(
            "git repositories need an extra: pip install 'vshell[git]'"
        ) from None


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what dulwich raises about a repository into our errors."""
    from dulwich.errors import (
        ApplyDeltaError,
        ChecksumMismatch,
        FileFormatException,
        RefFormatError,
        WrongObjectException,
    )

    try:
        yield
    except OSError as error:
        raise translated(error, _REPOSITORY) from None
    except VshellError:
        raise
    except (
        ApplyDeltaError,
        ChecksumMismatch,
        FileFormatException,
        RefFormatError,
        WrongObjectException,
        AssertionError,
        AttributeError,  # a commit that lacks a line
        IndexError,
        KeyError,
        ValueError,
        zlib.error,
    ):
        raise CorruptError(
            "the git repository is damaged or incomplete",
            hint="`git fsck` says what is wrong; a shallow or partial clone lacks objects",
        ) from None


@contextmanager
def opened(path: HostPath) -> Iterator[Repo]:
    """Open a repository.

    Args:
        path: Its directory, with or without a working tree.

    Raises:
        NotFoundError: There is none.
        UnavailableError: dulwich is not installed, or the format is another one.
    """
    require_dulwich()
    from dulwich.errors import NotGitRepository
    from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

    try:
        with guarded():
            repository = Repo(os.fspath(path))
    except NotGitRepository:
        raise NotFoundError(
            "no git repository is there",
            hint="name the directory that has `.git` in it, or a bare repository",
        ) from None
    except (UnsupportedExtension, UnsupportedVersion):
        raise UnavailableError(
            "the git repository has a format that is not supported", hint="clone it with git"
        ) from None
    with repository:
        if repository.object_format.name != "sha1":
            raise UnavailableError("git repositories with SHA-256 are not supported")
        yield repository


def create_if_missing(path: HostPath, branch: str) -> None:
    """Make a bare repository, unless one is there.

    Raises:
        NotEmptyError: The directory holds other things.
    """
    from dulwich.repo import Repo

    with guarded():
        os.makedirs(path, exist_ok=True)
        names = set(os.listdir(path))
        if not names:
            Repo.init_bare(os.fspath(path), default_branch=branch.encode()).close()
        elif ".git" not in names and not {"objects", "refs"} <= names:
            raise NotEmptyError(
                "the directory is no git repository, and not empty",
                hint="name an empty directory, or one that does not exist",
            )


def load(repository: Repo, kind: type[Object], sha: ObjectID) -> Object:
    """Return an object of a repository, after making sure that it is what its hash says.

    Raises:
        CorruptError: It is missing, of another kind, or damaged.
    """
    with guarded():
        found = repository.object_store[sha]
        data = found.as_raw_string()
        head = b"%b %d\0" % (found.type_name, len(data))
    digest = sha1(head, usedforsecurity=False)
    digest.update(data)
    if not isinstance(found, kind) or digest.hexdigest().encode() != sha:
        raise CorruptError(
            f"an object of the git repository is not what its hash says: {sha.decode()}",
            hint="`git fsck` says what is damaged",
        )
    return found


def branch_ref(branch: str) -> Ref:
    """Return the full name of a branch.

    Raises:
        InvalidPathError: Git does not allow the name.
        UnavailableError: dulwich is not installed.
    """
    require_dulwich()
    from dulwich.refs import Ref, check_ref_format

    try:
        name = Ref(b"refs/heads/" + branch.encode())
    except UnicodeEncodeError:
        name = Ref(b"")
    if not name or branch.startswith("-") or not check_ref_format(name):
        raise InvalidPathError(f"not a possible name of a branch: {branch!r}")
    return name


def refused_name(name: bytes) -> str | None:
    """Return why a name cannot be in a tree; None when it can."""
    if name in (b"", b".", b"..") or b"/" in name:
        return "no name of a file"
    if len(name) > MAX_NAME_BYTES:
        return f"the name has more than {MAX_NAME_BYTES} bytes"
    # Windows takes what is on each side of a backslash for a name.
    if any(_DOT_GIT.fullmatch(part) for part in _plain(name).split("\\")):
        return "git keeps its own files under this name"
    return None


def refused_entry(name: bytes, mode: int, load: Callable[[], bytes]) -> str | None:
    """Return why `git fsck` would refuse a file or link of this name; None when it would not."""
    plain = _plain(name)
    if _MODULES.fullmatch(plain) and mode == SYMLINK_MODE:
        return "git allows no link of this name"
    if _ATTRIBUTES.fullmatch(plain) and mode != SYMLINK_MODE:
        longest = max(map(len, load().split(b"\n")))
        if longest > _ATTRIBUTE_LINE_BYTES:
            return f"git allows no line of more than {_ATTRIBUTE_LINE_BYTES} bytes in it"
    return None


def refused_directory(name: bytes) -> str | None:
    """Return why `git fsck` would refuse a directory of this name; None when it would not."""
    plain = _plain(name)
    if _MODULES.fullmatch(plain) or _ATTRIBUTES.fullmatch(plain):
        return "git allows no directory of this name"
    return None


def _plain(name: bytes) -> str:
    return _PASSED_OVER.sub("", decode(name)).lower()

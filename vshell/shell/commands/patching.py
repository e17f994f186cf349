"""`patch`: applies unified diffs, file by file and hunk by hunk, as GNU's does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vshell.errors import PatchContextError, PatchInvalidError, VshellError
from vshell.ops.patch_reverse import reverse, reversed_hunk
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import read_all, write_file
from vshell.shell.messages import quote_if_needed, reason
from vshell.text.hunks import apply_hunks
from vshell.text.older_diffs import as_unified
from vshell.text.patchfile import FilePatch, parse_patch
from vshell.text.unified import Hunk, format_hunk

_TROUBLE: Final = 2
_SKIPPED: Final = "Skipping patch."


def run_patch(call: Invocation) -> int:
    parsed, operands = call.parsed, list(call.operands)
    if len(operands) > 2:
        raise UsageError(f"{operands[2]}: extra operand")
    source = parsed.value("input") or (operands[1] if len(operands) > 1 else "-")
    try:
        text = as_unified(read_all(call, source))
    except VshellError as error:
        call.stderr.write(
            f"patch: **** Can't open patch file {source} : {reason(error)}\n".encode()
        )
        return _TROUBLE
    strip = parsed.value("strip")
    if strip is not None and not strip.isdigit():
        raise UsageError(f"strip count {strip} is not a number", hint=False)
    try:
        patches = parse_patch(text, strip=None if strip is None else int(strip[:6]))
    except PatchInvalidError as error:
        return _refuse(call, text, error)
    if not patches:
        return 0
    if parsed.flag("reverse"):
        patches = reverse(patches)
    patcher = _Patcher(call, operands[0] if operands else None)
    with call.context.changing(call.name):
        for patch in patches:
            patcher.apply(patch, guess_name=strip is None)
    return patcher.status


def _refuse(call: Invocation, text: bytes, error: PatchInvalidError) -> int:
    garbage = "Only garbage was found in the patch input."
    message = error.message if b"@@ -" in text else garbage
    call.stderr.write(f"patch: **** {message}\n".encode("utf-8", "surrogateescape"))
    return _TROUBLE


def _simplicity(name: str) -> tuple[int, int, int]:
    """Return by what GNU's patch chooses among names: directories, then length."""
    parts = [part for part in name.split("/") if part]
    return len(parts), len(parts[-1]) if parts else 0, len(name)


class _Patcher:
    def __init__(self, call: Invocation, target: str | None) -> None:
        parsed = call.parsed
        self._call = call
        self._files = call.context.files
        self._target = target
        self._directory = parsed.value("directory")
        self._quiet = parsed.flag("silent")
        self._dry_run = parsed.flag("dry-run")
        fuzz = parsed.value("fuzz", "2") or ""
        if not fuzz.isdigit():
            raise UsageError(f"fuzz factor {fuzz} is not a number", hint=False)
        self._fuzz = int(fuzz[:6])
        self._output = parsed.value("output")
        self.status = 0

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._call.write(f"{text}\n")

    def apply(self, patch: FilePatch, *, guess_name: bool) -> None:
        """Apply the patch of one file."""
        name = self._target or self._name(patch, guess_name=guess_name)
        if name is None:
            self._not_found(patch)
            return
        path = self._path(name)
        there = self._files.exists(path)
        creates = patch.kind == "create" or patch.may_create
        if not there and not creates:
            self._not_found(patch)
            return
        verb = "checking" if self._dry_run else "patching"
        shown = quote_if_needed(name, colon=False)
        if self._output is not None:
            self._say(f"{verb} file {self._output} (read from {shown})")
        else:
            self._say(f"{verb} file {shown}")
        data = self._files.read(path) if there else b""
        hunks = self._oriented(patch.hunks, data, name, creates=creates and there)
        if hunks is None:
            return
        result, rejected = self._hunks(hunks, data, name)
        if rejected:
            self.status = 1
            self._reject(name, rejected, len(hunks), ignored=False, patch=patch)
        self._store(name, path, data, result, patch, failed=bool(rejected))

    def _path(self, name: str) -> str:
        if self._directory:
            name = f"{self._directory}/{name}"
        return self._call.context.resolve(name)

    def _name(self, patch: FilePatch, *, guess_name: bool) -> str | None:
        """Return which of the names in the patch is meant: of those there, the simplest."""
        names = [name for name in patch.names or (patch.old_path, patch.new_path) if name]
        names.sort(key=_simplicity)
        if guess_name:
            names += [name.rpartition("/")[2] for name in names]
        for name in names:
            if self._files.exists(self._path(name)):
                return name
        return patch.new_path if patch.kind == "create" or patch.may_create else None

    def _not_found(self, patch: FilePatch) -> None:
        self.status = 1
        self._say(f"can't find file to patch at input line {patch.line + 2}")
        self._say("Perhaps you used the wrong -p or --strip option?")
        self._say("File to patch: \nSkip this patch? [y] \n" + _SKIPPED)
        count = len(patch.hunks)
        self._say(f"{count} out of {count} hunk{'' if count == 1 else 's'} ignored")

    def _oriented(
        self, hunks: Sequence[Hunk[bytes]], data: bytes, name: str, *, creates: bool
    ) -> Sequence[Hunk[bytes]] | None:
        """Find out whether the patch is applied already; None when it is left alone then."""
        parsed = self._call.parsed
        if not hunks or parsed.flag("force") or self._fits(hunks[:1], data, name):
            return hunks
        turned = [reversed_hunk(hunk) for hunk in hunks]
        if not creates and not self._fits(turned[:1], data, name):
            return hunks
        what = (
            f"The next patch would create the file {name},\nwhich already exists!"
            if creates
            else "Unreversed patch detected!"
            if parsed.flag("reverse")
            else "Reversed (or previously applied) patch detected!"
        )
        if parsed.flag("batch"):
            self._say(f"{what}  Assuming -R.")
            return turned
        if parsed.flag("forward"):
            self._say(f"{what}  {_SKIPPED}")
        else:
            question = "Ignore -R?" if parsed.flag("reverse") else "Assume -R?"
            self._say(f"{what}  {question} [n] \nApply anyway? [n] \n{_SKIPPED}")
        self.status = 1
        self._reject(name, list(hunks), len(hunks), ignored=True, patch=None)
        return None

    def _fits(self, hunks: Sequence[Hunk[bytes]], data: bytes, name: str) -> bool:
        if hunks and hunks[0].old_count == 0 and data:
            return hunks[0].old_start > 0
        try:
            apply_hunks(data, hunks, fuzz=self._fuzz, path=name)
        except PatchContextError:
            return False
        return True

    def _hunks(
        self, hunks: Sequence[Hunk[bytes]], data: bytes, name: str
    ) -> tuple[bytes, list[Hunk[bytes]]]:
        """Apply what fits; return the result, and what does not."""
        rejected: list[Hunk[bytes]] = []
        shift = 0
        self._mismatched = False
        for number, hunk in enumerate(hunks, 1):
            # The hunks before have been applied, so the new side says where this one is.
            start = hunk.new_start + (not hunk.new_count) - (not hunk.old_count)
            moved = replace(hunk, old_start=max(0, start + shift))
            try:
                applied = apply_hunks(data, [moved], fuzz=self._fuzz, path=name)
            except PatchContextError:
                self._say(f"Hunk #{number} FAILED at {hunk.old_start}.")
                rejected.append(hunk)
                shift -= hunk.new_count - hunk.old_count
                continue
            data = applied.data
            place = applied.places[0]
            shift += place.offset
            self._mismatched |= bool(shift or place.fuzz)
            self._tell(number, place.line, shift, place.fuzz)
        return data, rejected

    _mismatched = False

    def _tell_failure(self, text: str) -> None:
        """Say what even `-s` does not keep back."""
        self._call.write(f"{text}\n")

    def _tell(self, number: int, line: int, offset: int, fuzz: int) -> None:
        if not (offset or fuzz):
            return
        parts = f" with fuzz {fuzz}" if fuzz else ""
        if offset:
            parts += f" (offset {offset} line{'' if abs(offset) == 1 else 's'})"
        self._say(f"Hunk #{number} succeeded at {line}{parts}.")

    def _reject(
        self,
        name: str,
        rejected: Sequence[Hunk[bytes]],
        total: int,
        *,
        ignored: bool,
        patch: FilePatch | None,
    ) -> None:
        what = "ignored" if ignored else "FAILED"
        file = self._call.parsed.value("reject-file") or f"{self._output or name}.rej"
        plural = "" if total == 1 else "s"
        text = f"{len(rejected)} out of {total} hunk{plural} {what}"
        if self._dry_run or file == "-":
            self._tell_failure(text)
            return
        self._tell_failure(f"{text} -- saving rejects to file {file}")
        old = (patch.old_path if patch else None) or name
        new = (patch.new_path if patch else None) or name
        head = f"--- {old}\n+++ {new}\n".encode("utf-8", "surrogateescape")
        write_file(self._call, file, head + b"".join(map(format_hunk, rejected)))

    def _store(
        self, name: str, path: str, before: bytes, after: bytes, patch: FilePatch, *, failed: bool
    ) -> None:
        if self._dry_run:
            return
        parsed = self._call.parsed
        if self._output is not None:
            write_file(self._call, self._output, after)
            return
        there = self._files.exists(path)
        mismatched = self._mismatched and not parsed.flag("no-backup-if-mismatch")
        if there and (parsed.flag("backup") or failed or mismatched):
            suffix = parsed.value("suffix") or ".orig"
            write_file(self._call, f"{name}{suffix}", before)
        removes = patch.kind == "delete" or parsed.flag("remove-empty-files")
        if removes and not after and there and not failed:
            self._files.unlink(path)
            return
        self._call.context.require_seen(path)
        self._files.write(path, after, parents=True)
        if patch.new_mode is not None:
            self._files.chmod(path, patch.new_mode & 0o777)


COMMANDS: Final = (
    Command(
        "patch",
        "[OPTION]... [ORIGFILE [PATCHFILE]]",
        "Apply a unified diff to files.",
        run_patch,
        options=(
            Option(("-p", "--strip"), "Strip NUM leading components from file names.", "NUM"),
            Option(("-F", "--fuzz"), "Set the fuzz factor to LINES.", "LINES"),
            Option(("-R", "--reverse"), "Assume patches were created with files swapped."),
            Option(("-N", "--forward"), "Ignore patches that appear to be applied already."),
            Option(("-f", "--force"), "Like -t, but assume patches are not reversed."),
            Option(("-t", "--batch"), "Ask no questions; assume reversed if it looks so."),
            Option(("-i", "--input"), "Read patch from PATCHFILE instead of stdin.", "PATCHFILE"),
            Option(("-o", "--output"), "Output patched files to FILE.", "FILE"),
            Option(("-r", "--reject-file"), "Output rejects to FILE.", "FILE"),
            Option(("-b", "--backup"), "Back up the original contents of each file."),
            Option(("-z", "--suffix"), "Append SUFFIX to backup file names.", "SUFFIX"),
            Option(("-d", "--directory"), "Change the working directory to DIR first.", "DIR"),
            Option(("-E", "--remove-empty-files"), "Remove output files that are empty."),
            Option(("-u", "--unified"), "Interpret the patch as a unified difference."),
            Option(("--dry-run",), "Do not actually change any files."),
            Option(("-s", "--silent", "--quiet"), "Work silently unless an error occurs."),
            Option(("--verbose",), "Accepted; says no more."),
            Option(("--binary",), "Accepted: data is always read and written as it is."),
            Option(("--no-backup-if-mismatch",), "Accepted."),
        ),
        usage_status=2,
    ),
)

"""Read patches: unified diffs and git's, also as language models write them.

What is accepted follows GNU patch and `git apply`: text around the patch is skipped, a
timestamp may follow a name, names may be in C quotes, and a patch whose header lines end
in CR LF was converted as a whole and is read without the CRs.

Names lose their first component where it is a prefix that git adds: `a/` on one side and
`b/` on the other (in a git diff also two others of `c i o w 1 2`, its mnemonic prefixes),
or on one side only when the rest equals the other name. Otherwise they are taken as they
stand. Where a plain diff has two different names, the shorter one counts (the new one, if
they are equally long), as in git.

Line counts in `@@` headers are checked against the body. Where they disagree, the body is
counted afresh, if it is clear where it ends: at the end of the patch, at the next header
or at a closing code fence. A header without numbers (a bare `@@`) is accepted likewise; its
hunk has no known place (`old_start` 0) and applies only where it matches exactly once.
Refused is what could lose or misplace a change: a line in a hunk that cannot be part of
it, a recounted hunk without a change, or one with nothing that tells its place.
"""

from vshell.text.patchfile.model import FilePatch, PatchKind
from vshell.text.patchfile.parser import parse_patch

__all__ = ["FilePatch", "PatchKind", "parse_patch"]

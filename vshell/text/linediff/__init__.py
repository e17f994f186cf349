"""Differences between two sequences of lines: small patches at a bounded cost.

The search goes from cheap and certain to costly and approximate:

1. Equal lines at both ends are set aside.
2. Lines that occur once on each side are anchors (patience diff, Bram Cohen): the
   longest increasing run of them is kept, and the gaps between are solved alone.
3. A small gap without an anchor is solved exactly by diff-match-patch, with one
   character for each distinct line (Neil Fraser's "line mode").
4. In a large gap, runs of several lines can be unique where single lines are not:
   these are anchors too.
5. What is left is walked by Myers' greedy algorithm ("An O(ND) Difference Algorithm
   and Its Variations", 1986), a bounded number of edits at a time.

All bounds are counts of steps, never times, so that equal input gives equal output on
every machine. Nothing recurses: the gaps that are still to be solved lie on a list.
"""

from vshell.text.linediff.matching import diff_sequences, myers_sequences
from vshell.text.linediff.shapes import Run, Tag

__all__ = ["Run", "Tag", "diff_sequences", "myers_sequences"]

"""Processes that synchronise a mirror are killed, and the next synchronisation repairs it."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.findings import FailedProofError, Findings, require
from tests.faults.scene import scratch
from tests.faults.sync_kills import Scene, Tree, count_points, die_at
from tests.sync.trees import directory_tree, workspace_tree
from vshell import Workspace
from vshell.errors import VshellError


def run(*, count: int, seed: int = 0) -> Findings:
    """Kill so many processes, each at another point of a synchronisation."""
    findings = Findings(seed)
    with scratch() as directory:
        place = directory / "scene"
        scene = Scene(place)
        points = count_points(scene)
        wanted = scene.workspace()
        findings.counts["points at which it can be killed"] = points
        chosen = list(range(1, points + 1))
        random.Random(f"{seed}/mirrors").shuffle(chosen)
        for point in chosen[:count]:
            findings.counts["kills"] += 1
            try:
                _kill_and_repair(place, point, wanted)
            except (FailedProofError, VshellError) as failure:
                findings.failures.append(f"killed at point {point}: {failure!r}")
    return findings


def _kill_and_repair(place: Path, point: int, wanted: Tree) -> None:
    scene = Scene(place)
    die_at(scene, point)
    require(scene.workspace() in (scene.before, wanted), "half a pull")
    with Workspace.open(scene.database) as workspace:
        report = workspace.check()
        require(report.ok, f"damaged: {report.problems}")
        workspace.gc(keep_revisions=0)
        workspace.mirror(scene.root).sync()
        require(not workspace.mirror(scene.root).sync().pushed, "it is not settled")
        require(workspace_tree(workspace) == wanted, "the workspace has something else")
        require(directory_tree(scene.root) == wanted, "the mirror has something else")
        require(workspace.check().ok, "damaged by the repair")

from __future__ import annotations

import pytest

from tests.faults.contention import KINDS, run


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_torn_stale_or_starved(kind: str) -> None:
    findings = run(count=12_000, seed=1, kinds=[kind], seconds=1.5)
    assert findings.failures == []
    assert findings.counts[f"{kind}: commits"] > 100

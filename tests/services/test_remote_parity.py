"""A farm gives fixtures the verdicts, causes and remedies that they have on this machine.

benchmarks/remote_parity.py compares twenty of them, and real packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.parity import FEW, Session, explained, find_differences, verify, write_project
from services.reapi_servers import Casd


def test_a_farm_and_this_machine_agree(casd: Casd, tmp_path: Path) -> None:
    write_project(tmp_path / "project", FEW)
    here = verify(tmp_path / "project", casd.endpoint, "local")
    there = verify(tmp_path / "project", casd.endpoint, "reapi")
    assert find_differences(here, there) == [], there.said
    assert {name: artifact["verdict"] for name, artifact in there.artifacts.items()} == {
        "embeds-build-path.settings": "unreproducible",
        "embeds-timestamp.page": "unreproducible",
        "embeds-umask.settings": "unreproducible",
        "exits-with-error.report": "failed",
        "plain-copy.copy": "reproducible",
        "tar-with-fixed-metadata.archive": "reproducible",
    }
    for artifact in there.artifacts.values():
        assert not set(artifact["varied"]) & explained(artifact)


def _session(**fields: Any) -> Session:
    artifact = {"verdict": "unreproducible", "findings": [], "varied": ["umask"], "not_varied": [], **fields}
    return Session({"a": artifact}, "", 1)


def _finding(cause: str, proved: bool = True) -> dict[str, Any]:
    return {"cause": cause, "confirmed": True, "remedy": {"summary": "do it", "proved": proved}}


def test_the_comparison_finds_what_differs() -> None:
    here = _session(findings=[_finding("umask")])
    assert find_differences(here, here) == []
    assert find_differences(here, _session(verdict="reproducible"))
    assert find_differences(here, _session(findings=[_finding("umask", proved=False)]))
    assert find_differences(here, _session(findings=[_finding("time")]))
    assert find_differences(here, _session(findings=here.artifacts["a"]["findings"], varied=[]))
    assert find_differences(here, Session({}, "", 1))

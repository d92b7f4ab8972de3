"""Verifications for the tests of reports, with hostile text in every place."""

from dataclasses import replace

from samples import verification

from pytest_ftc.model import Agreement, Evidence, Finding, KeptOutputs, Remedy, Verdict, Verification

TOOL = {"name": "pytest-ftc", "version": "0.1"}


SESSION = {"started": 1e9, "seconds": 3.0, "python": "3.12", "platform": "Linux", "root": "/project"}


NOTHING: frozenset[str] = frozenset()


HOSTILE = "<script>alert(1)</script>\n::error::x\x1b[31m|*`%0A\udce9\u202e"


def finding(number: int = 0, **more: object) -> Finding:
    values: dict[str, object] = {
        "output": f"dist/file-{number}.txt",
        "member": "",
        "location": f"line {number}",
        "cause": "time",
        "confirmed": True,
        "evidence": Evidence(control=f"one {number}", experiment=f"other {number}"),
        "command": ("date", "-u"),
        "remedy": Remedy(summary="set it", settings={"SOURCE_DATE_EPOCH": "0"}, proved=True, tried=True),
    }
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def with_findings(*findings: Finding, name: str = "app") -> Verification:
    one = verification(Verdict.UNREPRODUCIBLE)
    return replace(one, name=name, id=f"ftc.toml::ftc::{name}", findings=findings, differences=())


def everything() -> list[Verification]:
    hostile = finding(
        output=HOSTILE,
        member=HOSTILE,
        location=HOSTILE,
        command=(HOSTILE,),
        given=(HOSTILE,),
        why=HOSTILE,
        remedy=Remedy(summary=HOSTILE, also_tried=(HOSTILE,)),
    )
    return [
        *(replace(verification(verdict), reason=HOSTILE) for verdict in Verdict),
        with_findings(finding(), finding(1), name=HOSTILE.replace("\n", "")),
        replace(
            with_findings(hostile),
            leaks=(HOSTILE,),
            notes=(HOSTILE,),
            kept=KeptOutputs(control=f"/kept/{HOSTILE}/control", experiment=f"/kept/{HOSTILE}/experiment"),
            agreement=Agreement(builds=2, machines=1, days=1),
        ),
    ]


def finding_of_its_own(number: int) -> Finding:
    return finding(number, output=f"out.kind-{chr(ord('A') + number)}")

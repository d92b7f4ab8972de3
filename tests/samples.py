"""Verifications as they come out of real runs, for the tests of reports."""

from pytest_ftc.model import (
    BuildResult,
    BuildStatus,
    Difference,
    DifferenceKind,
    Evidence,
    NotVaried,
    Output,
    OutputType,
    Role,
    Verdict,
    Verification,
)

VARIED = ("time", "timezone", "locales", "build_path", "home", "temp_dir", "exec_path", "environment", "umask")


def build(
    role: Role, status: BuildStatus = BuildStatus.OK, output: str = "dist/app.whl", tail: str = ""
) -> BuildResult:
    digest = "a" if role is Role.CONTROL else "b"
    outputs = (Output(path=output, type=OutputType.FILE, mode="0644", size=7, sha256=digest * 64),)
    return BuildResult(
        id=f"app-{role.value}",
        role=role,
        environment={"time": "the real clock", "umask": "0022"},
        status=status,
        exit_code={BuildStatus.OK: 0, BuildStatus.FAILED: 3}.get(status),
        reason="" if status is BuildStatus.OK else "exit status 3",
        started=1_700_000_000.0,
        seconds=1.25,
        outputs=outputs if status is BuildStatus.OK else (),
        log=f"/project/.pytest_cache/d/ftc/logs/app-{role.value}.log",
        log_tail=tail,
    )


def verification(verdict: Verdict, *, output: str = "dist/app.whl", value: str = "one", tail: str = "no such file", many: int = 1) -> Verification:  # fmt: skip
    reasons = dict.fromkeys((Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE), "")
    reasons[Verdict.EQUIVALENT] = "equal within 1e-06, not bitwise; largest difference 3e-09"
    status = {Verdict.FRAGILE: BuildStatus.FAILED, Verdict.ERROR: BuildStatus.LOST}.get(verdict, BuildStatus.OK)
    builds = (build(Role.CONTROL, output=output), build(Role.EXPERIMENT, status, output=output, tail=tail))
    if verdict is Verdict.FAILED:
        builds = (build(Role.CONTROL, BuildStatus.FAILED, tail=tail),)
    differences = tuple(
        Difference(
            output=output if many == 1 else f"{output}-{number}.txt",
            kind=DifferenceKind.CONTENT,
            control=None,
            experiment=None,
            member="app/__init__.py",
            location="zip entry mtime",
            evidence=Evidence(control=f"{value} 2026-11-23", experiment=f"{value} 2027-12-26"),
            diff="/project/.pytest_cache/d/ftc/diffs/app.whl-0.txt",
        )
        for number in range(many if verdict in (Verdict.UNREPRODUCIBLE, Verdict.EQUIVALENT) else 0)
    )
    return Verification(
        id="pyproject.toml::ftc::app",
        name="app",
        verdict=verdict,
        reason=reasons.get(verdict, "the build failed: exit status 3"),
        varied=VARIED,
        not_varied=(NotVaried(variation="fileordering", reason="namespaces are refused here; allow unshare(2)"),),
        builds=builds,
        differences=differences,
        seconds=3.5,
    )

"""The statements about a verdict: parity, test result, provenance, and a trace."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from pytest_ftc.attestation.evidence import log_entry
from pytest_ftc.attestation.parity import make_parity, make_test_result
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.attestation.runtime_trace import make_runtime_trace
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.attestation.verdict_log import Contents, InclusionProof
from pytest_ftc.model import Verdict, Verification

ATTESTED = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)
"""The verdicts that can be attested."""


def prove_verdict(log: Contents, verification: Verification) -> InclusionProof | None:
    """Return the proof that the verdict, on these very outputs, is in `log`; None where it is not.

    That is so on another machine, and where the record of the verdict was changed since.
    """
    logged = log_entry(verification, 0)
    wanted = {name: logged[name] for name in ("artifact", "evidence", "outputs")}
    index = log.find(lambda entry: all(entry.get(name) == value for name, value in wanted.items()))
    return None if index is None else log.prove(index)


def make_statements(
    verification: Verification, builder: Builder, logged: InclusionProof | None
) -> Iterator[tuple[str, Statement]]:
    """Yield the kind and the statement of each document about `verification`.

    There is no provenance if the inputs were not recorded, as in verdicts from the cache, and a trace only if one was
    asked for.
    """
    yield "parity", make_parity(verification, builder, logged)
    yield "test-result", make_test_result(verification)
    if verification.inputs is None:
        return
    started = min(build.started for build in verification.builds)
    finished = max(build.started + build.seconds for build in verification.builds)
    invocation = Invocation(id=_make_id(verification), started=started, finished=finished)
    yield "provenance", make_provenance(verification, builder, invocation)
    trace = make_runtime_trace(verification, builder, invocation)
    if trace:
        yield "runtime-trace", trace


def _make_id(verification: Verification) -> str:
    """Return a new ID, with the trace of the session as its q-component (RFC 8141): provenance has no other place."""
    trace = f"?=trace={verification.trace_id}" if verification.trace_id else ""
    return f"urn:uuid:{uuid.uuid4()}{trace}"

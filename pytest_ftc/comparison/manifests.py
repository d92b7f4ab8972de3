"""Comparing the manifests of two builds: which outputs differ, and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from pytest_ftc.comparison.excerpt import contrast
from pytest_ftc.model import Difference, DifferenceKind, Metadata, Output, OutputType
from pytest_ftc.model.place import OUTPUT_ITSELF


def compare_manifests(
    control: Sequence[Output], experiment: Sequence[Output], metadata: Metadata
) -> tuple[Difference, ...]:
    """Return the differences between two manifests, sorted by path; none means parity.

    Parity means the same paths, types, bytes, link targets, and executable bits of files for their owner.  All other
    permission bits, including the executable bits of folders, depend on the umask and not on the content.  They count
    only if `metadata` is STRICT.
    """
    before = {output.path: output for output in control}
    after = {output.path: output for output in experiment}
    return tuple(
        difference
        for path in sorted(before.keys() | after.keys())
        for difference in _compare(path, before.get(path), after.get(path), metadata)
    )


def digest_manifest(outputs: Sequence[Output], metadata: Metadata) -> str:
    """Return a digest that is equal for two manifests if, and only if, there is parity between them."""
    rows = sorted(
        [output.path, output.type.value, output.target, _relevant_mode(output, metadata), output.size, output.sha256]
        for output in outputs
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _compare(path: str, control: Output | None, experiment: Output | None, metadata: Metadata) -> Iterator[Difference]:
    def differ(kind: DifferenceKind, one: str = "", other: str = "") -> Difference:
        evidence = contrast(one, other) if one or other else None
        return Difference(
            output=path, kind=kind, control=control, experiment=experiment, location=_LOCATIONS[kind], evidence=evidence
        )

    if control is None or experiment is None:
        kind = DifferenceKind.EXTRA if control is None else DifferenceKind.MISSING
        yield differ(kind, _presence(control), _presence(experiment))
    elif control.type is not experiment.type:
        yield differ(DifferenceKind.TYPE, control.type.value, experiment.type.value)
    else:
        if control.target != experiment.target:
            yield differ(DifferenceKind.LINK, control.target, experiment.target)
        if _relevant_mode(control, metadata) != _relevant_mode(experiment, metadata):
            yield differ(DifferenceKind.MODE, control.mode, experiment.mode)
        if (control.size, control.sha256) != (experiment.size, experiment.sha256):
            yield differ(DifferenceKind.CONTENT)


_LOCATIONS = {
    DifferenceKind.MISSING: OUTPUT_ITSELF,
    DifferenceKind.EXTRA: OUTPUT_ITSELF,
    DifferenceKind.TYPE: "file type",
    DifferenceKind.LINK: "link target",
    DifferenceKind.MODE: "permission bits",
    DifferenceKind.CONTENT: "",
}


def _presence(output: Output | None) -> str:
    return "absent" if output is None else f"present ({output.type.value})"


def _relevant_mode(output: Output, metadata: Metadata) -> int:
    mode = int(output.mode, 8)
    if output.type is OutputType.SYMLINK:
        return 0
    if metadata is Metadata.STRICT:
        return mode
    # The modes that a umask of 022 leaves; the history contains digests with these, so they must not change.
    return 0o111 if output.type is OutputType.FILE and mode & 0o100 else 0

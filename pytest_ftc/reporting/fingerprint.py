"""What makes two findings the same one, in different sessions."""

from __future__ import annotations

import hashlib
import json
import re

from pytest_ftc.model import Finding


def fingerprint(artifact: str, finding: Finding) -> str:
    """Return what tells `finding`, of the artifact with this id, from others, also after unrelated changes.

    Numbers do not count: lines move, versions rise.  Nor do the values found, which differ each time.
    """
    parts = [artifact, *(re.sub(r"[0-9]+", "0", text) for text in (finding.output, finding.member, finding.location))]
    text = json.dumps([*parts, finding.cause])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]

"""What a configuration below has from the one above."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftc.config.below.inherit import inherit


@pytest.mark.parametrize(
    ("above", "own", "expected"),
    [
        ({"jobs": 2, "artifacts": {"a": 1}}, {"artifacts": {"b": 2}}, {"artifacts": {"b": 2}}),
        ({"strict": True}, {}, {"strict": True}),
        ({"strict": True}, {"strict": False}, {"strict": False}),
        ({"defaults": False}, {}, {"defaults": {"presets": False}}),
        ({"defaults": {"timeout": 1, "owner": "a"}}, {"defaults": True}, {"defaults": {"timeout": 1, "owner": "a", "presets": True}}),
        ({"defaults": {"timeout": 1}}, {"defaults": {"timeout": 2}}, {"defaults": {"timeout": 2}}),
        (
            {"defaults": {"env": {"A": "1", "B": "1"}}},
            {"defaults": {"env": {"B": "2"}}},
            {"defaults": {"env": {"A": "1", "B": "2"}}},
        ),
        ({"defaults": {"timeout": 1}}, {"defaults": 7}, {"defaults": 7}),
        ({"secrets": {"A": "env:A"}}, {"secrets": {"B": "env:B"}}, {"secrets": {"A": "env:A"}}),
        ({}, {"secrets": {"B": "env:B"}}, {}),
    ],
)  # fmt: skip
def test_what_is_inherited(above: dict[str, Any], own: dict[str, Any], expected: dict[str, Any]) -> None:
    assert inherit(above, own) == expected

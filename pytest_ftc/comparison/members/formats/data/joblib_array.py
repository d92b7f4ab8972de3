"""Arrays that joblib puts between the operations of a pickle (its numpy_pickle.py, NumpyArrayWrapper)."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

from pytest_ftc.comparison.members.formats.data.npy import read_elements
from pytest_ftc.comparison.members.formats.data.pickle_machine import Thing
from pytest_ftc.comparison.members.formats.data.pickled_array import read_shape, read_type
from pytest_ftc.comparison.members.span import Span

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"


def is_wrapper(value: Any) -> bool:
    """Return whether the bytes of an array come after this object."""
    return isinstance(value, Thing) and value.kind == _WRAPPER


def take_array(wrapper: Thing, file: io.BytesIO, span: Span) -> None:
    """Add the array at the position of `file` to its wrapper, and go to its end.  Raises ValueError, LookupError."""
    state = dict(wrapper.state.pairs) if isinstance(wrapper.state, Thing) else {}
    type_, shape = state["dtype"], state["shape"]
    kind, dimensions = read_type(type_), read_shape(shape)
    if state.get("numpy_array_alignment_bytes") is not None:
        # A number of bytes, and so many bytes up to the alignment.
        file.seek(ord(file.read(1)), io.SEEK_CUR)
    start = file.tell()
    elements = read_elements(span.part(start, span.size - start), kind, dimensions)
    size = elements.size * math.prod(dimensions)
    content = span.part(start, size)
    wrapper.pairs.append(("array", replace(elements, content=content, is_fortran=state.get("order") == "F")))
    file.seek(start + size)

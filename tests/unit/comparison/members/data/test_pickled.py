"""Pickles by the keys and indices of their values; nothing in them is ever loaded."""

import collections
import datetime
import pathlib
import pickle
import pickletools
import struct
import sys
import types
from types import SimpleNamespace

import pytest

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Model:
    def __init__(self, number):
        self.trained_on = f"host-{number}"
        self.when = datetime.datetime(2020, 1, number, tzinfo=datetime.timezone.utc)
        self.labels = frozenset([b"label-%d" % number])
        self.counts = collections.defaultdict(list, sweet=[1, number])
        self.pairs = {(1, "x"): number, 3: {"deep": [[number]]}}
        self.path = pathlib.PurePosixPath(f"/one/{number}")
        self.owner = self


class Evil:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("touched"),)


def places(compare, one, other, name="model.pkl"):
    return [
        (leaf.field.value, leaf.location, leaf.control, leaf.experiment) for leaf in compare(one, other, name).leaves
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_attributes_keys_and_indices_name_the_values(compare, protocol):
    one, other = (pickle.dumps(Model(number), protocol) for number in (1, 2))
    found = {location: values for _, location, *values in places(compare, one, other)}
    assert found == {
        "key trained_on": [b'"host-1"', b'"host-2"'],
        "key when.__args__[0]": [b'"2020-01-01T00:00:00"', b'"2020-01-02T00:00:00"'],
        "key path.__args__[0]": [b'"/one/1"', b'"/one/2"'],
        "key labels[0]": [b"label-1", b"label-2"],
        "key counts.sweet[1]": [b"1", b"2"],
        "key pairs.(1, x)": [b"1", b"2"],
        "key pairs.3.deep[0][0]": [b"1", b"2"],
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_order_of_a_set_is_one_place(compare, protocol):
    data = pickle.dumps({"labels": {"aa", "bb"}}, protocol)
    swapped = data.replace(b"aa", b"~~").replace(b"bb", b"aa").replace(b"~~", b"bb")
    ((field, location, control, experiment),) = places(compare, data, swapped)
    assert (field, location) == ("order", "order of labels")
    assert sorted(control.split()) == sorted(experiment.split()) == [b'"aa"', b'"bb"']


def test_pickles_are_known_by_their_start_and_told_one_by_one(compare):
    one, other = (pickle.dumps([1]) + pickle.dumps({"a": [number]}) + b"tail %d" % number for number in (1, 2))
    assert [place[1] for place in places(compare, one, other, "no-extension")] == [
        "key [1].a[0]",
        "data after the pickle, line 1",
    ]


def test_only_what_is_shared_differs(compare):
    shared = ["x"]
    one, other = pickle.dumps([shared, shared], 4), pickle.dumps([["x"], ["x"]], 4)
    assert [place[1] for place in places(compare, one, other)] == ["key [1]"]
    plain = pickle.dumps({"a": 1}, 4)
    ((_, location, *_),) = places(compare, plain, pickletools.optimize(plain))
    assert location == "pickle operations (the protocol, or which values were shared when it was written)"


def test_nothing_is_loaded(compare, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = pickle.dumps([Evil(), 1])
    assert [place[1] for place in places(compare, one, pickle.dumps([Evil(), 2]))] == ["key [1]"]
    assert not (tmp_path / "touched").exists()
    pickle.loads(one)
    assert (tmp_path / "touched").exists()


def doubling(number):
    """Lists of lists that hold the one before twice: 2 ** 60 values, if they were expanded."""
    data = b"\x80\x02]q\x00" + b"".join(b"](h%ch%ceq%c" % (n, n, n + 1) for n in range(60))
    return data + b"K" + bytes([number]) + b"\x86."


def deep(number):
    return b"\x80\x02" + b"]" * 100_000 + b"K" + bytes([number]) + b"a" * 100_000 + b"."


@pytest.mark.parametrize("make", [doubling, deep])
def test_values_in_values_take_neither_time_nor_memory(compare, make):
    found = compare(make(1), make(2), "x.pkl")
    assert len(found.leaves) == 1 and max(map(len, (found.leaves[0].control, found.leaves[0].experiment))) < 1 << 20
    assert found.leaves[0].location == ("key [1]" if make is doubling else "byte 0x186a3")


@pytest.mark.parametrize("data", [b"\x80\x02.", b"\x80\x02(.", b"\x80\x02h\x05.", b"\x80\x02K\x01}s.", b"\x80\x02Na."])
def test_an_invalid_pickle_is_compared_by_bytes(compare, data):
    found = compare(data + b"1", data + b"2", "x.pkl")
    assert [leaf.location for leaf in found.leaves] in (["line 1"], [f"byte {len(data):#x}"])
    assert "not examined" in found.leaves[0].note


def text(word):
    return b"X" + len(word).to_bytes(4, "little") + word


def joblib(number, count=b"K\x03"):
    """Write what joblib writes for a dictionary with an array of three numbers."""
    type_ = (
        b"cnumpy\ndtype\n"
        + text(b"i4")
        + b"\x89\x88\x87R(K\x03"
        + text(b"<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    )
    state = b"}(" + text(b"shape") + count + b"\x85" + text(b"order") + text(b"C") + text(b"dtype") + type_
    state += text(b"numpy_array_alignment_bytes") + b"K\x10u"
    array = b"\2\xff\xff" + b"".join(value.to_bytes(4, "little") for value in (5, number, 7))
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b" + array
    return b"\x80\x02}(" + text(b"coef") + wrapper + text(b"host") + text(b"host-%d" % number) + b"u."


def test_arrays_that_joblib_puts_between_are_read(compare):
    assert places(compare, joblib(1), joblib(2), "model.joblib") == [
        ("content", "key coef.array, element [1] (int32)", b"1", b"2"),
        ("content", "key host", b'"host-1"', b'"host-2"'),
    ]


@pytest.mark.parametrize("count", [b"J\xff\xff\xff\x7f", b"J\xff\xff\xff\xff", b"N"])
def test_an_array_of_an_impossible_shape_is_compared_by_bytes(compare, count):
    found = compare(joblib(1, count), joblib(2, count), "model.joblib")
    assert "not examined: ValueError" in found.leaves[0].note


@pytest.fixture
def numpy(monkeypatch):
    """Functions with the names of those of NumPy that pickles of arrays call."""
    core = "numpy._core"
    for module, names in {
        "numpy": ["dtype"],
        f"{core}.multiarray": ["_reconstruct", "scalar"],
        f"{core}.numeric": ["_frombuffer"],
    }.items():
        made = types.ModuleType(module)
        for name in names:
            function = types.FunctionType((lambda *_: None).__code__, {}, name)
            function.__module__, function.__qualname__ = module, name
            setattr(made, name, function)
        monkeypatch.setitem(sys.modules, module, made)
    monkeypatch.setitem(sys.modules, core, types.ModuleType(core))
    return SimpleNamespace(
        **{
            name: getattr(sys.modules[module], name)
            for module, name in [
                ("numpy", "dtype"),
                (f"{core}.multiarray", "_reconstruct"),
                (f"{core}.multiarray", "scalar"),
                (f"{core}.numeric", "_frombuffer"),
            ]
        }
    )


class Reduced:
    """Pickled as a call of a function, with a state."""

    def __init__(self, *reduced):
        self._reduced = reduced

    def __reduce__(self):
        return self._reduced


def double(numpy):
    return Reduced(numpy.dtype, ("f8", False, True), (3, "<", None, None, None, -1, -1, 0))


def made_array(numpy, *values):
    data = struct.pack(f"<{len(values)}d", *values)
    return Reduced(numpy._reconstruct, (list, (0,), b"b"), (1, (2, len(values) // 2), double(numpy), False, data))


def from_buffer(numpy, *values):
    data = struct.pack(f"<{len(values)}d", *values)
    return Reduced(numpy._frombuffer, (data, double(numpy), (2, len(values) // 2), "C"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("make", [made_array, from_buffer])
def test_arrays_of_numpy_are_read_by_index(compare, numpy, make, protocol):
    one, other = (pickle.dumps({"w": make(numpy, 0, 1, 2, last)}, protocol=protocol) for last in (3.0, 3.5))
    (leaf,) = compare(one, other, "x.pkl").leaves
    assert (leaf.location, leaf.control, leaf.experiment) == ("key w, element [1, 1] (float64)", b"3.0", b"3.5")
    assert leaf.numbers.startswith("1 of 4 numbers differs; largest difference 0.5 at [1, 1] (3.0 and 3.5)")


def test_single_numbers_of_numpy_are_read(compare, numpy):
    sides = (Reduced(numpy.scalar, (double(numpy), struct.pack("<d", value))) for value in (0.5, 0.75))
    (leaf,) = compare(*(pickle.dumps([side]) for side in sides), "x.pkl").leaves
    assert (leaf.location, leaf.control, leaf.experiment) == ("key [0], element 0 (float64)", b"0.5", b"0.75")


@pytest.mark.parametrize("shape", [(3,), (-1,), None, ("x",), (1 << 70,)])
def test_an_array_whose_shape_lies_is_read_as_any_object(compare, numpy, shape):
    def lie(value):
        return pickle.dumps(Reduced(numpy._frombuffer, (struct.pack("<d", value), double(numpy), shape, "C")))

    (leaf,) = compare(lie(1.0), lie(2.0), "x.pkl").leaves
    assert leaf.location.startswith("key __args__[0]")

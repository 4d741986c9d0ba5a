"""Files: what is written comes back, whole or not at all."""

import contextlib
import errno
import json
import os
import re
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_hw as th
from tinygrad_hw import nn, optim, serialization

SUFFIXES = [".npz", ".safetensors", ".pt", ""]
FLOATS = [np.float16, np.float32, np.float64]
DTYPES = [*FLOATS, np.uint8, np.int8, np.int16, np.int32, np.int64, np.bool_]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"state{request.param}"


def layouts(array):
    """The same shape and dtype in every memory order there is."""
    return [
        array,
        np.asfortranarray(array),
        array.T,
        array[::-1] if array.ndim else array,
        np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array,
        array.astype(array.dtype.newbyteorder()),
        np.broadcast_to(array, (2, *array.shape)),
    ]


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))


@given(ARRAYS, st.sampled_from(SUFFIXES))
def test_arrays_of_every_shape_dtype_and_layout_come_back(tmp_path_factory, array, suffix):
    path = tmp_path_factory.mktemp("files") / f"a{suffix}"
    given_arrays = {f"layer.{i}": a for i, a in enumerate(layouts(array))}
    th.save(given_arrays, path)
    loaded = th.load(path)
    assert list(loaded) == list(given_arrays)
    for name, a in given_arrays.items():
        np.testing.assert_array_equal(loaded[name].array, a)
        assert loaded[name].dtype == a.dtype.newbyteorder("=")
        assert loaded[name].array.flags.writeable
        assert loaded[name].array.flags.c_contiguous


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers()
TREES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES, TREES, st.sampled_from(SUFFIXES))
def test_whatever_is_not_a_tensor_comes_back_as_it_was(tmp_path_factory, state, metadata, suffix):
    path = tmp_path_factory.mktemp("files") / f"a{suffix}"
    th.save(state, path, metadata)
    assert repr(th.load(path, metadata=True)) == repr((state, metadata))


def test_a_checkpoint_goes_on_exactly_where_it_stopped(path):
    def training():
        th.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        return model, optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def steps(model, sgd, generator, n):
        for _ in range(n):
            sgd.zero_grad()
            model(th.randn(5, 3, generator=generator)).square().sum().backward()
            sgd.step()

    model, sgd = training()
    generator = th.Generator().manual_seed(3)
    steps(model, sgd, generator, 3)
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": sgd.state_dict(),
        "generator": generator.get_state(),
        "epoch": np.int64(3),
    }
    th.save(checkpoint, path, {"seed": 0})
    steps(model, sgd, generator, 3)

    loaded, metadata = th.load(path, metadata=True)
    other, other_sgd = training()
    other.load_state_dict(loaded["model"])
    other_sgd.load_state_dict(loaded["optimizer"])
    other_generator = th.Generator()
    other_generator.set_state(loaded["generator"])
    steps(other, other_sgd, other_generator, 3)
    assert (loaded["epoch"], metadata) == (3, {"seed": 0})
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert p.array.tobytes() == q.array.tobytes()


def test_a_state_dict_is_readable_by_others_and_theirs_by_us(tmp_path):
    state = nn.Linear(3, 2).state_dict()
    th.save(state, tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as ours:
        np.testing.assert_array_equal(ours["weight"], state["weight"].array)
    np.savez_compressed(tmp_path / "theirs.npz", weight=state["weight"].array)
    np.testing.assert_array_equal(
        th.load(tmp_path / "theirs.npz")["weight"].array, state["weight"].array
    )
    numpy_of = pytest.importorskip("safetensors.numpy")
    th.save(state, tmp_path / "ours.safetensors")
    theirs = numpy_of.load_file(tmp_path / "ours.safetensors")
    np.testing.assert_array_equal(theirs["weight"], state["weight"].array)
    numpy_of.save_file({"b": np.arange(3)}, tmp_path / "theirs.safetensors")
    assert th.load(tmp_path / "theirs.safetensors")["b"].tolist() == [0, 1, 2]
    assert th.load(tmp_path / "theirs.safetensors", metadata=True)[1] is None


# -------------------------------------------------------------------------------- bad files


def test_a_missing_file(tmp_path):
    for name in ("none.npz", "none.pt", "none.safetensors", "none"):
        with pytest.raises(FileNotFoundError, match=re.escape(name)):
            th.load(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_every_truncation_is_noticed(path):
    th.save({"w": th.randn(3, 4), "b": th.zeros(2)}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(RuntimeError, match=path.name):
            th.load(path)


@given(st.data())
def test_a_damaged_npz_is_refused_or_unharmed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("files") / "a.npz"
    w = np.arange(12.0).reshape(3, 4)
    th.save({"w": w}, path, {"a": [1, 2]})
    damaged = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    with contextlib.suppress(RuntimeError):
        state, metadata = th.load(path, metadata=True)  # a date, say, does no harm
        np.testing.assert_array_equal(state["w"].array, w)
        assert metadata == {"a": [1, 2]}


@pytest.mark.parametrize(("suffix", "other"), [SUFFIXES[:2], SUFFIXES[1::-1]])
def test_a_file_is_recognised_by_its_content(tmp_path, suffix, other):
    th.save({"w": th.arange(2)}, tmp_path / f"a{suffix}")
    os.rename(tmp_path / f"a{suffix}", tmp_path / f"a{other}")
    assert th.load(tmp_path / f"a{other}")["w"].tolist() == [0, 1]


def test_what_is_no_file_of_tensors(tmp_path):
    path = tmp_path / "model.pt"
    for content in (b"", b"PK", b"hello", b"\0" * 100, b"{}", b"\x80\x09....."):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match=rf"model\.pt \({len(content)} bytes\) is damaged"):
            th.load(path)


class Trap:
    """Unpickling this would be noticed."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.array([Trap()], dtype=object))
    with pytest.raises(RuntimeError, match=r"a\.npz"):
        th.load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", w=np.array(["text"]))
    with pytest.raises(RuntimeError, match=r"b\.npz.*w: "):
        th.load(tmp_path / "b.npz")


def test_a_forged_tree_is_refused(tmp_path):
    for i, text in enumerate(["[]", '{"state": {"tensor": "x"}, "metadata": null}', "{}", "nope"]):
        path = tmp_path / f"{i}.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tinygrad_hw.json", text)
        with pytest.raises(RuntimeError, match=path.name):
            th.load(path)
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 99]}}).encode()
    forged = tmp_path / "forged.safetensors"
    forged.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
    with pytest.raises(RuntimeError, match=forged.name):
        th.load(forged)


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        ({"m": nn.Linear(1, 1)}, TypeError, "Linear.*state_dict"),
        (nn.Linear(1, 1), TypeError, r"Linear.*model\.state_dict\(\)"),
        (optim.SGD([nn.Parameter(th.ones(1))]), TypeError, r"SGD.*state_dict\(\)"),
        ({"m": {1, 2}}, TypeError, "set"),
        ({(1, 2): 3}, TypeError, "tuple"),
        ({"a": np.zeros(2, complex)}, TypeError, "a: .*complex128"),
        ({"a.b": th.zeros(1), "a": {"b": th.zeros(1)}}, ValueError, r"'a\.b'"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_a_file_is_made(path, state, kind, message):
    with pytest.raises(kind, match=message):
        th.save(state, path)
    assert not path.exists()


def test_a_failed_write_leaves_the_old_file_and_no_other(path):
    resource = pytest.importorskip("resource")
    th.save({"w": th.ones(3)}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # a small disk
    try:
        with pytest.raises(OSError, match="any older file is intact") as caught:
            th.save({"w": th.zeros(10_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert path.name in str(caught.value)
    assert th.load(path)["w"].tolist() == [1, 1, 1]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interruption_at_any_step_leaves_the_old_file_and_no_other(path, monkeypatch, step):
    th.save({"w": th.ones(3)}, path)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(serialization.os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        th.save({"w": th.zeros(3)}, path)
    assert th.load(path)["w"].tolist() == [1, 1, 1]
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_synced_before_it_takes_its_place(path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            serialization.os, name, lambda *a, name=name, real=real: order.append(name) or real(*a)
        )
    th.save({"w": th.ones(3)}, path)
    assert order == ["fsync", "replace"]
    with pytest.raises(FileNotFoundError, match=r"nowhere.*state"):
        th.save({}, path.parent / "nowhere" / path.name)


def test_the_missing_extra_is_named(tmp_path, monkeypatch):
    th.save({"w": th.ones(3)}, tmp_path / "a.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    for call in (th.load, lambda path: th.save({}, path)):
        with pytest.raises(ImportError, match=r"tinygrad-hw\[safetensors\]"):
            call(tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.safetensors"]


def test_files_have_the_modes_of_other_files(path):
    th.save({"w": th.ones(1)}, path)
    ordinary = path.with_name("ordinary")
    ordinary.touch()
    assert path.stat().st_mode == ordinary.stat().st_mode

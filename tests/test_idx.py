"""The IDX format: round trips, and every damaged file refused."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from tinygrad_hw.datasets import IDXError, read_idx, write_idx
from tinygrad_hw.datasets.idx import PIECE, format_idx, parse_idx

DTYPES = ("u1", "i1", "<i2", ">i2", "<i4", ">i4", "<f4", ">f4", "<f8", ">f8")
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: npst.arrays(dtype, SHAPES))
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)


def outcome(data: bytes) -> NDArray[np.generic] | None:
    """The parsed array, or None where it was refused. Anything else than IDXError escapes."""
    try:
        return parse_idx(data)
    except IDXError:
        return None


def test_the_bytes_are_those_of_the_format() -> None:
    data = b"\0\0\x0b\x02\0\0\0\x01\0\0\0\x02\x01\x02\xff\xfe"
    array = np.array([[258, -2]], np.int16)
    assert format_idx(array) == data
    np.testing.assert_array_equal(parse_idx(data), array)


@given(array=ARRAYS, transpose=st.booleans(), suffix=st.sampled_from(["", ".gz"]))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    array: NDArray[np.generic],
    transpose: bool,
    suffix: str,
) -> None:
    array = array.T if transpose else array
    path = tmp_path_factory.mktemp("idx") / f"array{suffix}"
    write_idx(path, array)
    again = read_idx(path)
    assert again.dtype == array.dtype.newbyteorder("=")
    assert again.flags.writeable
    np.testing.assert_array_equal(again, array)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == (suffix == ".gz")


@given(array=ARRAYS, tail=st.binary(min_size=1, max_size=9))
def test_truncations_and_tails_are_refused(array: NDArray[np.generic], tail: bytes) -> None:
    data = format_idx(array)
    for length in range(len(data)):
        with pytest.raises(IDXError):
            parse_idx(data[:length])
    with pytest.raises(IDXError, match=f"too long: {len(data + tail)} bytes"):
        parse_idx(data + tail)


@given(
    magic=st.sampled_from([b"\0\0", b"\0\1", b"\x1f\x8b"]),
    code=st.sampled_from([0, 7, 8, 9, 0x0A, 0x0B, 0x0E, 255]),
    sizes=st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), max_size=5),
    body=st.binary(max_size=64),
)
def test_what_is_read_is_exactly_what_was_written(
    magic: bytes, code: int, sizes: list[int], body: bytes
) -> None:
    header = magic + struct.pack(f">BB{len(sizes)}I", code, len(sizes), *sizes)
    array = outcome(header + body)
    if array is not None:
        assert format_idx(array) == header + body


def test_every_flipped_bit_of_a_header_is_refused() -> None:
    data = format_idx(IMAGES)
    for position in range(8 * 16):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        # int8 for uint8 is the one flip that leaves a well-formed file; its hash gives it away.
        array = outcome(bytes(flipped))
        assert array is None or array.dtype == np.int8


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((60_000, 28, 28), "truncated: 26 bytes where its shape"),
        ((2**32 - 1,) * 3, "truncated"),
        ((2**32 - 1,) * 64, "truncated"),
        ((0,) * 65, "not an IDX file"),
        ((0,) * 255, "not an IDX file"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_huge_sizes_are_refused_before_anything_is_allocated(
    tmp_path: Path, sizes: tuple[int, ...], message: str, suffix: str
) -> None:
    data = struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes) + b"0123456789"
    path = tmp_path / f"huge{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    tracemalloc.start()
    try:
        with pytest.raises(IDXError, match=message):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_sizes_that_numpy_cannot_hold() -> None:
    sizes = (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    with pytest.raises(IDXError, match="cannot hold its shape"):
        parse_idx(struct.pack(">BBBB4I", 0, 0, 8, 4, *sizes))


def test_a_file_that_unpacks_beyond_the_limit_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(20_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(IDXError, match="more than 1000 bytes"):
            read_idx(path, limit=1000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_every_truncation_of_a_gzipped_file_is_refused(tmp_path: Path) -> None:
    data = gzip.compress(format_idx(IMAGES), mtime=0)
    for length in range(len(data)):
        path = tmp_path / "cut.gz"
        path.write_bytes(data[:length])
        with pytest.raises(IDXError, match=r"cut\.gz: (truncated|not an IDX file)"):
            read_idx(path)


def test_no_flipped_bit_of_a_gzipped_file_changes_what_is_read(tmp_path: Path) -> None:
    data = gzip.compress(format_idx(IMAGES), mtime=0)
    refused = 0
    for position in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        path = tmp_path / "flipped.gz"
        path.write_bytes(flipped)
        try:
            np.testing.assert_array_equal(read_idx(path), IMAGES)
        except IDXError:
            refused += 1
    assert refused >= 8 * (len(data) - 10)  # the ten bytes of gzip's header hold a date and such


def test_what_may_follow_a_gzip_stream(tmp_path: Path) -> None:
    data = format_idx(IMAGES)
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(data[:20]) + gzip.compress(data[20:]) + bytes(7))
    np.testing.assert_array_equal(read_idx(path), IMAGES)
    path.write_bytes(gzip.compress(data) + b"garbage")
    with pytest.raises(IDXError, match="damaged gzip stream"):
        read_idx(path)
    path.write_bytes(gzip.compress(data) + gzip.compress(b"x"))
    with pytest.raises(IDXError, match="too long"):
        read_idx(path)


@pytest.mark.parametrize("noise", [1, 16, 256])
def test_a_gzipped_file_of_many_pieces(tmp_path: Path, noise: int) -> None:
    """Whether a piece is more than what goes in, as in zeros, or less; cut anywhere, or followed by
    more, it is refused."""
    array = np.random.default_rng(0).integers(0, noise, 12 * PIECE + 5).astype(np.uint8)
    data, path = gzip.compress(format_idx(array)), tmp_path / "many.gz"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_idx(path), array)
    path.write_bytes(data + bytes(2 * PIECE))
    np.testing.assert_array_equal(read_idx(path), array)
    for length in (len(data) // 2, len(data) - 9, len(data) - 8, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(IDXError, match="truncated gzip stream"):
            read_idx(path)
    path.write_bytes(data + bytes(PIECE) + gzip.compress(array.tobytes()))
    with pytest.raises(IDXError, match=f"too long: {24 * PIECE + 18} bytes"):
        read_idx(path)


def test_an_array_is_laid_over_the_bytes_where_that_can_be() -> None:
    data = format_idx(IMAGES)
    own = np.frombuffer(data, np.uint8).copy()
    assert np.shares_memory(parse_idx(own), own)
    assert parse_idx(data).flags.writeable
    assert not np.shares_memory(parse_idx(data), np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("dtype", ["int64", "uint16", "bool", "complex64", "object"])
def test_a_dtype_without_a_code_is_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(TypeError, match=f"IDX has no type for {dtype}; convert.*uint8"):
        write_idx(tmp_path / "array", np.zeros(3, dtype))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path / "array", IMAGES)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_idx(tmp_path / "array", IMAGES + 1)
    np.testing.assert_array_equal(read_idx(tmp_path / "array"), IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == ["array"]

"""The IDX format of MNIST and its relatives, plain or gzipped.

Two zero bytes, a type byte, the number of dimensions, each size as a big-endian uint32, then
the data in C order, big-endian. Whether a file is gzipped is read from its bytes, not its name.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.files import write_whole

GZIP_MAGIC = b"\x1f\x8b"
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CODES = {np.dtype(dtype).newbyteorder("="): code for code, dtype in TYPES.items()}
MAX_DIMS = 64  # NumPy's own limit
PIECE = 1 << 16  # bytes that are decompressed at once


class IDXError(ValueError):
    """The bytes are not a whole, well-formed IDX file; the message says what is wrong."""


def read_idx(path: str | os.PathLike[str], *, limit: int = 1 << 32) -> NDArray[Any]:
    """The array in an IDX file, plain or gzipped.

    Raises :class:`IDXError` if the file is damaged in any way, or unpacks to more than ``limit``
    bytes. Memory follows what the file really holds, never what its header promises.
    """
    try:
        return parse_idx(unpack(Path(path).read_bytes(), limit))
    except IDXError as error:
        raise IDXError(f"{os.fspath(path)}: {error}") from error


def write_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write ``array`` as IDX, gzipped if the name ends in ``.gz``. The file appears whole or not
    at all. Raises TypeError for a dtype that IDX does not have (int64 labels, for one)."""
    data = format_idx(array)
    if os.fspath(path).endswith(".gz"):
        import gzip

        data = gzip.compress(data, mtime=0)
    write_whole(Path(path), data)


def parse_idx(data: bytes | NDArray[np.uint8]) -> NDArray[Any]:
    """The array in the bytes of an uncompressed IDX file: writable, in native byte order. It is a
    copy, except of writable bytes that are in that order already: it is laid over those.

    >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    head = bytes(data[: 4 + 4 * MAX_DIMS])
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or head[3] > MAX_DIMS:
        raise IDXError(f"not an IDX file: it begins with {head[:4].hex(' ') or 'nothing'}")
    dtype, start = np.dtype(TYPES[head[2]]), 4 + 4 * head[3]
    if len(data) < start:
        raise IDXError(f"truncated: {len(data)} bytes of a header of {start}")
    sizes = [head[i : i + 4] for i in range(4, start, 4)]
    shape = tuple(int.from_bytes(size, "big") for size in sizes)
    total = start + math.prod(shape) * dtype.itemsize  # Python integers: no overflow
    if len(data) != total:
        problem = "truncated" if len(data) < total else "too long"
        raise IDXError(f"{problem}: {len(data)} bytes where its shape {shape} takes {total}")
    try:
        array: NDArray[Any] = np.ndarray(shape, dtype, buffer=data, offset=start)
    except ValueError as error:  # a size of zero beside sizes beyond NumPy's
        raise IDXError(f"NumPy cannot hold its shape {shape}") from error
    return array.astype(dtype.newbyteorder("="), copy=not array.flags.writeable)


def format_idx(array: NDArray[Any]) -> bytes:
    """The bytes of an uncompressed IDX file that holds ``array``."""
    code = CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        names = ", ".join(map(str, CODES))
        raise TypeError(f"IDX has no type for {array.dtype}; convert the array to one of {names}")
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(TYPES[code]).tobytes()


def unpack(raw: bytes, limit: int, room: int = PIECE) -> NDArray[np.uint8]:
    """The bytes of ``raw``, decompressed if it is gzipped; more than ``limit`` are refused.

    They come piece by piece into one array, with room for as many as are expected from the start:
    NumPy asks the kernel for huge pages for it, and no second copy is ever made.
    """
    data, size = np.empty(room, np.uint8), 0
    for piece in _gunzip(raw) if raw.startswith(GZIP_MAGIC) else [raw]:
        start, size = size, size + len(piece)
        if size > limit:
            raise IDXError(f"it unpacks to more than {limit} bytes")
        if size > len(data):
            data.resize(max(size, 2 * len(data)), refcheck=False)
        data[start:size] = np.frombuffer(piece, np.uint8)
    data.resize(size, refcheck=False)
    return data


def _gunzip(raw: bytes) -> Iterator[bytes]:
    rest = memoryview(raw)
    while rest:
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            fed = rest[:PIECE]
            try:
                piece = stream.decompress(fed, 4 * PIECE)
            except zlib.error as error:
                raise IDXError(f"damaged gzip stream ({error})") from error
            if not (fed or piece or stream.eof):
                raise IDXError("truncated gzip stream")
            yield piece
            left = stream.unused_data if stream.eof else stream.unconsumed_tail
            rest = rest[len(fed) - len(left) :]
        rest = memoryview(bytes(rest).lstrip(b"\0"))  # gzip allows more members and zero padding

"""`save` and `load`: tensors in files, without pickle.

The suffix says the format. `.npz` is a zip of NumPy arrays and needs nothing else; `.safetensors`
can be read by other frameworks and needs the extra of that name. A tensor's name in the file is
its path, `model.0.weight`; what is not a tensor is kept as JSON beside them.

A file is written beside its destination, synced, and only then takes its place: whatever goes
wrong, the destination holds either all of the old file or all of the new one.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.dtypes import as_dtype
from tinygrad_hw.files import write_whole
from tinygrad_hw.tape import Traced, wrap

Arrays: TypeAlias = dict[str, NDArray[Any]]
KEY = "tinygrad_hw"  # what the JSON is called inside a file


def save(state: Any, path: str | os.PathLike[str], metadata: Any = None) -> None:
    """Write a state dict, or any nesting of dicts, lists and tuples of tensors, arrays, numbers,
    strings, booleans and None, such as `{"model": …, "optimizer": …, "epoch": 3}`.

    Args:
        path: ends in `.npz` or `.safetensors`.
        metadata: whatever else should be known about it, of the same kinds.

    Raises:
        ValueError: another suffix, or two tensors whose paths are written the same.
        TypeError: something that is neither a tensor nor JSON.
        OSError: the file cannot be written; an older one at `path` is as it was.

    >>> import tempfile, tinygrad_hw as th
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     th.save({"w": th.ones(2), "epoch": 3}, f"{folder}/checkpoint.npz")
    ...     th.load(f"{folder}/checkpoint.npz")
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    path = Path(path)
    layout = layout_of(path)
    arrays: Arrays = {}
    body = encoded(state, (), arrays)
    tree = {"state": body, "metadata": encoded(metadata, ("metadata",), arrays)}
    write_whole(path, layout.packed(arrays, json.dumps(tree)))


def load(path: str | os.PathLike[str], metadata: bool = False) -> Any:
    """What `save` wrote, arrays as tensors; with `metadata`, the pair of it and the metadata. Of a
    file that another program wrote, all its tensors by name.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a suffix other than `.npz` or `.safetensors`.
        RuntimeError: the file is damaged, or not of the format that its suffix says.
    """
    path = Path(path)
    layout = layout_of(path)
    data = path.read_bytes()
    try:
        arrays, text = layout.unpacked(data)
        tensors = {name: wrap(checked(name, a).copy()) for name, a in arrays.items()}
        tree = json.loads(text) if text else {"state": None, "metadata": None}
        state = decoded(tree["state"], tensors) if text else tensors
        known = decoded(tree["metadata"], tensors)
    except ImportError:
        raise
    except Exception as error:  # whatever a parser trips over in bytes that may be anything
        raise RuntimeError(
            f"{path} ({len(data)} bytes) is damaged or not a {path.suffix} file: {error}"
        ) from error
    return (state, known) if metadata else state


def checked(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The array, of numbers and in this machine's byte order, rows first: safetensors 0.8 stores
    the wrong elements of any other without a word."""
    try:
        as_dtype(array.dtype)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


# ---------------------------------------------------------------------- what is not a tensor


def encoded(value: Any, path: tuple[str, ...], arrays: Arrays) -> Any:
    """`value` as JSON. Every JSON object has one key that says what it stands for, so that tuples
    and keys that are numbers come back as they were; tensors go to `arrays` under their path."""
    if isinstance(value, (Traced, np.ndarray)):
        name = ".".join(path) or "tensor"
        if "\0" in name:
            raise ValueError(f"the name {name!r} has a NUL character, which no file format keeps")
        if name in arrays:
            raise ValueError(f"two tensors would be called {name!r} in the file: rename one")
        arrays[name] = checked(name, value.array if isinstance(value, Traced) else value)
        return {"tensor": name}
    if isinstance(value, dict):
        pairs = [[encoded_key(k), encoded(v, (*path, str(k)), arrays)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, (list, tuple)):
        items = [encoded(v, (*path, str(i)), arrays) for i, v in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    return encoded_key(value)


def encoded_key(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(
        f"save takes tensors, arrays, numbers, strings and None in dicts, lists and tuples, and "
        f"met a {type(value).__name__}: save its state_dict(), or leave it out."
    )


def decoded(value: Any, tensors: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [decoded(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(decoded(v, tensors) for v in content)
    return {k: decoded(v, tensors) for k, v in content}


# --------------------------------------------------------------------------------- formats


class Layout(NamedTuple):
    """A file format: arrays and a text to bytes, and back."""

    packed: Callable[[Arrays, str], bytes]
    unpacked: Callable[[bytes], tuple[Arrays, str]]


def packed_npz(arrays: Arrays, text: str) -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # the JSON first: it misses any array that is lost
        archive.writestr(zipfile.ZipInfo(f"{KEY}.json"), text)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return out.getvalue()


def unpacked_npz(data: bytes) -> tuple[Arrays, str]:
    import zipfile

    arrays: Arrays = {}
    text = ""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            content = archive.read(name)  # which holds it against its checksum
            if name == f"{KEY}.json":
                text = content.decode()
            else:
                array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
                arrays[name.removesuffix(".npy")] = array
    return arrays, text


def packed_safetensors(arrays: Arrays, text: str) -> bytes:
    return bytes(safetensors().save(arrays, {KEY: text}))


def unpacked_safetensors(data: bytes) -> tuple[Arrays, str]:
    arrays = safetensors().load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return arrays, header.get("__metadata__", {}).get(KEY, "")


def safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "reading and writing .safetensors needs the package of that name: "
            "pip install 'tinygrad-hw[safetensors]'. Files that end in .npz need nothing."
        ) from error
    return safetensors.numpy


LAYOUTS = {
    ".npz": Layout(packed_npz, unpacked_npz),
    ".safetensors": Layout(packed_safetensors, unpacked_safetensors),
}


def layout_of(path: Path) -> Layout:
    if path.suffix not in LAYOUTS:
        raise ValueError(f"{path}: its suffix says the format, and has to be .npz or .safetensors")
    return LAYOUTS[path.suffix]

"""`save` and `load`: tensors in files, without pickle.

There are two layouts. One is NumPy's, a zip of arrays, and needs nothing else; it is that of every
name (`model.pt`, `weights.npz`, a file object) that does not end in `.safetensors`. The other is
read by PyTorch, JAX and more, and needs the extra of that name. What a file holds is recognised by
its content. A tensor's name in the file is its path, `model.0.weight`; what is not a tensor is kept
as JSON beside them.

A file is written beside its destination, synced, and only then takes its place: whatever goes
wrong, the destination holds either all of the old file or all of the new one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.device import device, on_cpu
from tinygrad_hw.dtypes import as_dtype
from tinygrad_hw.files import write_whole
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter
from tinygrad_hw.size import Size
from tinygrad_hw.tape import Traced, wrap

Arrays: TypeAlias = dict[str, NDArray[Any]]
File: TypeAlias = str | os.PathLike[str] | IO[bytes]
KEY = "tinygrad_hw"  # what the JSON is called inside a file
PICKLES = {b"\x80" + bytes([protocol]) for protocol in range(2, 6)}  # how they begin


def save(obj: Any, f: File, metadata: Any = None) -> None:
    """Write a state dict, or any nesting of dicts, lists and tuples of tensors, arrays, numbers,
    strings, booleans, dtypes and None, such as `{"model": ..., "optimizer": ..., "epoch": 3}`.

    A tensor is kept with its `requires_grad`, not with its history; a parameter stays one.

    Args:
        f: a path, or a file open for writing bytes. A name that ends in `.safetensors` makes a
            file that others read too; any other name, `.pt` and `.pth` too, makes NumPy's `.npz`.
        metadata: whatever else should be known about it, of the same kinds.

    Raises:
        TypeError: something that is neither a tensor nor JSON: a module, for one.
        ValueError: two tensors whose paths are written the same.
        OSError: the file cannot be written; an older one at that path is as it was.

    >>> import io, tinygrad_hw as th
    >>> file = io.BytesIO()
    >>> th.save({"w": th.ones(2), "epoch": 3}, file)
    >>> at = file.seek(0)
    >>> th.load(file)
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    name, file = opened(f)
    layout = SAFETENSORS if name.endswith(".safetensors") else NPZ
    arrays: Arrays = {}
    body = encoded(obj, (), arrays)
    tree = {"state": body, "metadata": encoded(metadata, ("metadata",), arrays)}
    data = layout.packed(arrays, json.dumps(tree))
    if file is None:
        write_whole(Path(name), data)
    else:
        file.write(data)


def load(
    f: File,
    map_location: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    metadata: bool = False,
) -> Any:
    """What `save` wrote, arrays as tensors. Of a `.npz` or `.safetensors` file that another program
    wrote, all its tensors by name.

    Args:
        f: a path, or a file open for reading bytes, which is read to its end.
        map_location: the CPU, in any of the ways PyTorch lets one say it: a name, a device, a dict
            of devices, or a function of a tensor and `"cpu"`.
        weights_only: has no effect: nothing but data is ever read.
        mmap: has no effect: the file is read at once.
        metadata: give the pair of what was saved and its metadata.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: the file is damaged, of another format (PyTorch's own is a pickle, and is not
            read), or `map_location` is no CPU.
    """
    name, file = opened(f)
    located = mapped(map_location)
    data = Path(name).read_bytes() if file is None else file.read()
    layout = layout_of(data, name)
    with taken_apart(name, data):
        arrays, text = layout.unpacked(data)
        arrays = {key: checked(key, array).copy() for key, array in arrays.items()}
        tree = json.loads(text) if text else {"state": None, "metadata": None}
    tensors = {key: located(wrap(array)) for key, array in arrays.items()}
    with taken_apart(name, data):
        state = decoded(tree["state"], tensors) if text else tensors
        known = decoded(tree["metadata"], tensors)
    return (state, known) if metadata else state


@contextlib.contextmanager
def taken_apart(name: str, data: bytes) -> Iterator[None]:
    """Whatever a parser trips over, in bytes that may be anything, is the file's fault."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        raise RuntimeError(
            f"{name} ({len(data)} bytes) is damaged, or holds what no tensor can: {error}"
        ) from error


def opened(f: File) -> tuple[str, IO[bytes] | None]:
    """The name of a file, and the file itself where it is open already."""
    if isinstance(f, io.TextIOBase):
        raise TypeError(f"{f!r} is open for text: open it for bytes, 'rb' or 'wb'.")
    if isinstance(f, (str, os.PathLike)):
        return str(Path(f)), None
    if not hasattr(f, "read") and not hasattr(f, "write"):
        raise TypeError(f"a file is a path or is open for bytes, not {type(f).__name__}")
    name = getattr(f, "name", None)
    return name if isinstance(name, str) else f"<{type(f).__name__}>", f


def mapped(map_location: Any) -> Callable[[Any], Any]:
    """What brings a tensor to its place: none but the CPU, where it is."""
    if callable(map_location):

        def asked(tensor: Any) -> Any:
            found = map_location(tensor, "cpu")
            return tensor if found is None else found

        return asked
    on_cpu(map_location.get("cpu") if isinstance(map_location, dict) else map_location)
    return lambda tensor: tensor


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
    if isinstance(value, Parameter):
        return {"parameter": encoded(value.data.requires_grad_(value.requires_grad), path, arrays)}
    if isinstance(value, (Traced, np.ndarray)):
        name = ".".join(path) or "tensor"
        if "\0" in name:
            raise ValueError(f"the name {name!r} has a NUL character, which no file format keeps")
        if name in arrays:
            raise ValueError(f"two tensors would be called {name!r} in the file: rename one")
        arrays[name] = checked(name, value.array if isinstance(value, Traced) else value)
        return {"leaf" if isinstance(value, Traced) and value.tracked else "tensor": name}
    if isinstance(value, dict):
        pairs = [[encoded_key(k), encoded(v, (*path, str(k)), arrays)] for k, v in value.items()]
        return {"ordered" if isinstance(value, OrderedDict) else "dict": pairs}
    if isinstance(value, (list, tuple)):
        items = [encoded(v, (*path, str(i)), arrays) for i, v in enumerate(value)]
        if isinstance(value, list):
            return items
        return {"size" if isinstance(value, Size) else "tuple": items}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, device):
        return {"device": str(value)}
    return encoded_key(value)


def encoded_key(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Module):
        raise TypeError(
            f"a whole {type(value).__name__} cannot be saved, for its code is not in the file: "
            "save model.state_dict(), and load it by model.load_state_dict(th.load(path))."
        )
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
    if kind == "parameter":
        tensor = decoded(content, tensors)
        return Parameter(tensor.detach(), tensor.requires_grad)
    if kind in ("tensor", "leaf"):
        return tensors[content].requires_grad_(kind == "leaf")
    if kind in ("dict", "ordered"):
        pairs = [(k, decoded(v, tensors)) for k, v in content]
        return OrderedDict(pairs) if kind == "ordered" else dict(pairs)
    if kind in ("dtype", "device"):
        return as_dtype(content) if kind == "dtype" else device(content)
    items = (decoded(v, tensors) for v in content)
    return {"tuple": tuple, "size": Size}[kind](items)


# --------------------------------------------------------------------------------- formats


class Layout(NamedTuple):
    """A file format: arrays and a text to bytes, and back."""

    packed: Callable[[Arrays, str], bytes]
    unpacked: Callable[[bytes], tuple[Arrays, str]]


def packed_npz(arrays: Arrays, text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # the JSON first: it misses any array that is lost
        archive.writestr(zipfile.ZipInfo(f"{KEY}.json"), text)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return out.getvalue()


def unpacked_npz(data: bytes) -> tuple[Arrays, str]:
    arrays: Arrays = {}
    text = ""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(member.header_offset for member in archive.infolist()[:1]):
            raise ValueError("one archive follows another: save each to a file of its own")
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
    try:
        arrays = safetensors().load(data)
    except KeyError as error:
        raise ValueError(f"a tensor is {error}, which NumPy has not: save it as float32") from error
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


NPZ = Layout(packed_npz, unpacked_npz)
SAFETENSORS = Layout(packed_safetensors, unpacked_safetensors)


def layout_of(data: bytes, name: str) -> Layout:
    """The layout of a file's content."""
    size = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and 8 + size <= len(data):
        return SAFETENSORS
    zipped = data[:2] == b"PK"
    if (zipped and b"/data.pkl" in data[:1000]) or data[:2] in PICKLES:
        raise RuntimeError(
            f"{name} is of PyTorch's own format: a pickle, which may run any code and is never "
            "read here. Where PyTorch is, turn its state dict into what both read: "
            f"safetensors.torch.save_file(torch.load({name!r}), 'model.safetensors')."
        )
    if zipped:
        return NPZ
    raise RuntimeError(f"{name} ({len(data)} bytes) is damaged, or neither .npz nor .safetensors")

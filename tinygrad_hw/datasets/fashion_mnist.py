"""Fashion-MNIST as NumPy arrays: where its files are looked for, and how they are trusted.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms", arXiv:1708.07747. MIT licence, (c) 2017 Zalando SE.

A file is trusted for its bytes alone: the SHA-256 of its *uncompressed* content. The same images
come gzipped in several ways, and any copy that passes is the same copy.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.datasets.download import DownloadError, fetch
from tinygrad_hw.datasets.idx import GZIP_MAGIC, IDXError, parse_idx, unpack
from tinygrad_hw.files import write_whole

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)


class Expected(NamedTuple):
    """What a file's uncompressed bytes must be."""

    size: int
    sha256: str


FILES = {
    "train-images-idx3-ubyte": Expected(
        47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte": Expected(
        60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "t10k-images-idx3-ubyte": Expected(
        7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte": Expected(
        10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
VARIABLE = "TINYGRAD_HW_DATA"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
RAW = Path("FashionMNIST", "raw")  # torchvision's layout below its root
REMEDY = (
    "To get Fashion-MNIST: install Debian's package dataset-fashion-mnist, or name a folder that"
    f" holds its four files, plain or .gz (the folder argument, or the variable {VARIABLE}), or"
    " let it be downloaded (download=True)"
)


class DatasetError(RuntimeError):
    """No trustworthy copy of a file: the message names it, what is wrong, and the remedies."""


class FashionArrays(NamedTuple):
    """Images as uint8 (N, 28, 28), labels as int64 (N,)."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


def load_fashion_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool | None = None,
    progress: bool = True,
) -> FashionArrays:
    """Fashion-MNIST as arrays: 60 000 training and 10 000 test images.

    Looks in ``folder`` and nowhere else if it is given. Otherwise in the folder that the variable
    ``TINYGRAD_HW_DATA`` names, in the cache (``~/.cache/tinygrad_hw/fashion-mnist``) and in
    Debian's ``/usr/share/datasets/fashion-mnist``, and at last downloads into the cache. In each
    folder the files may be plain or gzipped, directly or in torchvision's ``FashionMNIST/raw``.

    ``download=False`` forbids the network. By default it is used only when no folder was named;
    ``download=True`` with a folder puts missing files into its ``FashionMNIST/raw``.

    Raises :class:`DatasetError` when a file in ``folder`` is bad or missing, or when no place has
    it. A bad file elsewhere is passed over with a warning that names it; only in the cache, which
    is ours, does a verified download replace it. A folder of yours never loses or changes a file.

    ::

        x_train, y_train, x_test, y_test = load_fashion_mnist()
    """
    train = load_split(True, folder, download=download, progress=progress)
    test = load_split(False, folder, download=download, progress=progress)
    return FashionArrays(*train, *test)


def load_split(
    train: bool,
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool | None = None,
    progress: bool = True,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels of one half; only its two files are read. See :func:`load_fashion_mnist`.
    """
    part = "train" if train else "t10k"
    images, labels = (
        _load(name, folder, download, progress)
        for name in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    )
    return images, labels.astype(np.int64)


def verify(raw: bytes, name: str) -> NDArray[Any]:
    """The array in the bytes of a file, plain or gzipped, that must be ``name``.

    Raises :class:`IDXError`, which says what is wrong, unless every byte is right.
    """
    import hashlib

    largest = max(expected.size for expected in FILES.values())
    data = unpack(raw, largest, room=FILES[name].size)
    found = Expected(len(data), hashlib.sha256(data.data).hexdigest())
    if found == FILES[name]:
        return parse_idx(data)
    for other, expected in FILES.items():
        if found == expected:
            raise IDXError(f"mislabelled: it holds {other}, not {name}")
    shape = parse_idx(data).shape  # its own error where the form itself is broken
    if found.size != FILES[name].size:
        raise IDXError(
            f"another file: {found.size} bytes of shape {shape}, not {FILES[name].size} bytes"
        )
    raise IDXError(f"damaged: its SHA-256 is {found.sha256}, not {FILES[name].sha256}")


def cache_folder() -> Path:
    """Where downloads are kept: ``tinygrad_hw/fashion-mnist`` in ``$XDG_CACHE_HOME``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "tinygrad_hw", "fashion-mnist")


def _load(
    name: str, folder: str | os.PathLike[str] | None, download: bool | None, progress: bool
) -> NDArray[Any]:
    places = list(_places()) if folder is None else [Path(folder)]
    for place in places:
        for path in (base / file for base in (place, place / RAW) for file in (name, f"{name}.gz")):
            try:
                return verify(path.read_bytes(), name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, IDXError) as error:
                problem = f"{path} cannot be used: {error}"
                if folder is not None:
                    raise DatasetError(f"{problem}. Nothing was changed. {REMEDY}") from error
                warnings.warn(f"{problem}; looking further", stacklevel=5)
        if str(place) == os.environ.get(VARIABLE):
            warnings.warn(f"{place}, named by {VARIABLE}, lacks {name}[.gz]", stacklevel=5)
    if download or (download is None and folder is None):
        return _download(name, cache_folder() if folder is None else Path(folder, RAW), progress)
    where = ", ".join(map(str, places))
    raise DatasetError(f"{name}[.gz] is not in {where}. {REMEDY}")


def _places() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named)
    yield cache_folder()
    yield DEBIAN


def _download(name: str, to: Path, progress: bool) -> NDArray[Any]:
    try:
        raw, array = fetch(
            [f"{mirror}{name}.gz" for mirror in MIRRORS],
            lambda raw: verify(raw, name),
            limit=FILES[name].size + 1024,  # gzip adds a little to what it cannot shrink
            progress=progress,
        )
    except DownloadError as error:
        raise DatasetError(f"{name} could not be downloaded ({error}). {REMEDY}") from error
    path = to / (f"{name}.gz" if raw.startswith(GZIP_MAGIC) else name)
    try:
        to.mkdir(parents=True, exist_ok=True)
        write_whole(path, raw)
    except OSError as error:
        warnings.warn(
            f"the download of {name} is used from memory, for {path} cannot be written: {error}",
            stacklevel=6,
        )
    return array

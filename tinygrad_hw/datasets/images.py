"""`FashionMNIST` and `DrawnFashion`: the ten garments as a `Dataset`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw import kernels
from tinygrad_hw.creation import from_numpy
from tinygrad_hw.datasets.drawn_fashion import draw_split
from tinygrad_hw.datasets.fashion_mnist import CLASSES, load_split
from tinygrad_hw.tape import wrap
from tinygrad_hw.tensor import Tensor
from tinygrad_hw.utils.data import Dataset

ImageTransform = Callable[[NDArray[np.uint8]], Any]
TargetTransform = Callable[[int], Any]


class FashionImages(Dataset[tuple[Any, Any]]):
    """Garments: grey images ``data``, uint8 (N, 28, 28), their classes ``targets``, int64 (N,).

    ``dataset[i]`` is ``(image, target)``: the image as float32 (1, 28, 28) in [0, 1] and the target
    as an int, what torchvision gives with ``ToTensor()``. A ``transform`` takes the image's
    uint8 ndarray (28, 28) in place of that, a ``target_transform`` the int.
    """

    name: ClassVar[str]
    classes: ClassVar[list[str]] = list(CLASSES)

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        transform: ImageTransform | None = None,
        target_transform: TargetTransform | None = None,
    ) -> None:
        self.data = from_numpy(images)
        self.targets = from_numpy(labels)
        self.transform = transform
        self.target_transform = target_transform

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}

    def vectors(self) -> PixelVectors:
        """The same images as vectors of 784 numbers, ready for a linear layer."""
        return PixelVectors(self.data.numpy().reshape(len(self), -1), self.targets.numpy())

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = self.data.numpy()[index].copy()  # a transform may write into it
        target: Any = int(self.targets.numpy()[index])
        image = _scaled(image[None]) if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def gather(self, indices: Sequence[int] | NDArray[np.integer]) -> Any:
        """The batch of these samples: in one pass over the bytes, where nothing transforms them."""
        if self.transform is not None or self.target_transform is not None:
            return super().gather(indices)
        images, targets = self.data.numpy()[indices], self.targets.numpy()[indices]
        return [_scaled(images[:, None]), from_numpy(targets)]

    def __repr__(self) -> str:
        lines = [
            f"Dataset {type(self).__name__}",
            f"Number of datapoints: {len(self)}",
            *self.extra_repr(),
        ]
        if self.transform is not None:
            lines.append(f"Transform: {self.transform}")
        return "\n    ".join(lines)

    def extra_repr(self) -> list[str]:
        """Further lines of the repr."""
        return []


class PixelVectors(Dataset[tuple[Tensor, Tensor]]):
    """Images as float32 vectors (784,) in [0, 1], with their classes, int64.

    They are kept as bytes, a quarter of the memory, and a batch is gathered and scaled in one pass.
    ``vectors[:]`` is the whole set.

    >>> X, y = DrawnFashion(train=False, n=50).vectors()[:]
    >>> X.shape, y.shape
    (Size([50, 784]), Size([50]))
    """

    def __init__(self, pixels: NDArray[np.uint8], targets: NDArray[np.int64]) -> None:
        self.pixels, self.targets = pixels, targets

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        return _scaled(self.pixels[index]), wrap(np.array(self.targets[index]))

    def gather(self, indices: Sequence[int] | NDArray[np.integer]) -> list[Tensor]:
        at = np.asarray(indices, np.int64)
        return [wrap(kernels.take_pixels(self.pixels, at)), wrap(self.targets.take(at))]


def _scaled(pixels: NDArray[np.uint8]) -> Tensor:
    return wrap(pixels / np.float32(255))


class FashionMNIST(FashionImages):
    """Fashion-MNIST: 60 000 training or 10 000 test images of clothing, 28 x 28, in ten classes.

    ``root`` is a folder with the files, plain or gzipped, directly or in torchvision's
    ``FashionMNIST/raw``; with ``download=True`` what is missing is downloaded there. With
    ``root=None`` they are looked for in the usual places, and downloaded into the cache if
    ``download=True``: :func:`load_fashion_mnist` says which, and what is trusted.

    Raises :class:`DatasetError` where there is no trustworthy copy.
    """

    name = "fashion-mnist"

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: ImageTransform | None = None,
        target_transform: TargetTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(*load_split(train, root, download=download), transform, target_transform)
        self.root = root
        self.train = train

    def extra_repr(self) -> list[str]:
        split = f"Split: {'Train' if self.train else 'Test'}"
        return [split] if self.root is None else [f"Root location: {os.fspath(self.root)}", split]


class DrawnFashion(FashionImages):
    """Garments drawn by a generator, in the form and the classes of Fashion-MNIST, for machines
    without it. Not Fashion-MNIST: no accuracy on it compares with one on the real set.

    The same ``n`` and ``seed`` give the same images on every machine; ``n`` is 60 000 or 10 000
    unless given. Nothing is read or written.

    >>> DrawnFashion(train=False, n=50).data.shape
    Size([50, 28, 28])
    """

    name = "drawn-fashion"

    def __init__(
        self,
        train: bool = True,
        transform: ImageTransform | None = None,
        target_transform: TargetTransform | None = None,
        *,
        n: int | None = None,
        seed: int = 0,
    ) -> None:
        size = n if n is not None else 60_000 if train else 10_000
        super().__init__(*draw_split(train, size, seed), transform, target_transform)
        self.train = train
        self.seed = seed

    def extra_repr(self) -> list[str]:
        return [f"Split: {'Train' if self.train else 'Test'}", f"Seed: {self.seed}"]

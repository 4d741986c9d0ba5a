"""Fashion-MNIST, its file format and integrity, and a drawn stand-in for machines without it."""

from tinygrad_hw.datasets.drawn_fashion import load_drawn_fashion
from tinygrad_hw.datasets.fashion_mnist import DatasetError, FashionArrays, load_fashion_mnist
from tinygrad_hw.datasets.idx import IDXError, read_idx, write_idx
from tinygrad_hw.datasets.images import DrawnFashion, FashionMNIST

__all__ = [
    "DatasetError",
    "DrawnFashion",
    "FashionArrays",
    "FashionMNIST",
    "IDXError",
    "load_drawn_fashion",
    "load_fashion_mnist",
    "read_idx",
    "write_idx",
]

"""Drawn fashion: ten garments drawn by a small generator, in the format of Fashion-MNIST.

For machines with no network and no data. It is *not* Fashion-MNIST and no figure on it compares
with one on the real set. The same seed gives the same bytes on every machine: only integer and
uniform draws, and only arithmetic that IEEE 754 rounds exactly.

A garment is a few shapes painted one over another (``garments.py``), drawn finely in a few styles.
An image is a style, placed, stretched and sheared, in some brightness and pattern, with grain and
now and then something that hides a part of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.datasets.fashion_mnist import FashionArrays
from tinygrad_hw.datasets.garments import GARMENTS

Grid = NDArray[np.bool_]

SIDE = 28
FINE = 3  # subpixels along a pixel's side
STYLES = 24  # for each class
CHUNK = 1000  # images at a time: they stay in the processor's cache


def load_drawn_fashion(
    n_train: int = 60_000, n_test: int = 10_000, *, seed: int = 0
) -> FashionArrays:
    """Drawn garments as arrays, in the form of :func:`load_fashion_mnist`; the classes are even.

    >>> x_train, y_train, x_test, y_test = load_drawn_fashion(100, 20)
    >>> x_train.shape, x_test.dtype, y_train.dtype
    ((100, 28, 28), dtype('uint8'), dtype('int64'))
    """
    return FashionArrays(*draw_split(True, n_train, seed), *draw_split(False, n_test, seed))


def draw_split(train: bool, n: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """``n`` images (n, 28, 28) and their labels (n,). Both splits share the seed's styles."""
    styles = _styles(_generator(seed, 0))
    rng = _generator(seed, 1 if train else 2)
    labels = rng.permutation(np.arange(n) % len(GARMENTS))
    images = np.empty((n, SIDE, SIDE), np.uint8)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        images[part] = _photograph(styles, labels[part], rng)
    return images, labels


def _generator(*seeds: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seeds))


def _styles(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Every style of every class: (classes, STYLES, fine side, fine side), with an empty border."""
    side = SIDE * FINE
    canvas = np.zeros((len(GARMENTS), STYLES, side + 2, side + 2), np.uint8)
    for styles, shapes in zip(canvas[:, :, 1:-1, 1:-1], GARMENTS.values(), strict=True):
        for shape in shapes:
            blend = rng.random((STYLES, 1, 1))
            small, large = np.array(shape.small), np.array(shape.large)
            points = small + blend * (large - small)
            inside = _ellipse(points) if len(small) == 2 else _polygon(points)
            if shape.half:
                inside |= inside[:, :, ::-1]
            inside &= rng.random((STYLES, 1, 1)) < shape.chance
            tone = shape.tone * (0.85 + 0.3 * rng.random((STYLES, 1, 1)))
            np.copyto(styles, (np.minimum(tone, 1) * 255).astype(np.uint8), where=inside)
    return _soften(_soften(canvas).swapaxes(2, 3)).swapaxes(2, 3)


def _soften(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each fine pixel the mean of itself and its neighbours along the last axis; empty borders."""
    soft = np.zeros_like(canvas)
    wide = canvas.astype(np.uint16)
    soft[..., 1:-1] = (wide[..., :-2] + wide[..., 1:-1] + wide[..., 2:]) // 3
    return soft


def _ellipse(points: NDArray[np.float64]) -> Grid:
    """The fine pixels inside each of S ellipses (S, 2, 2): centre, radii."""
    at = (np.arange(SIDE * FINE) + 0.5) / FINE
    x, y = np.moveaxis((at[:, None] - points[:, None, 0]) / points[:, None, 1], 2, 0) ** 2
    inside: Grid = y[:, :, None] + x[:, None, :] < 1
    return inside


def _polygon(points: NDArray[np.float64]) -> Grid:
    """The fine pixels inside each of S polygons (S, corners, 2), by the even-odd rule."""
    at = (np.arange(SIDE * FINE) + 0.5) / FINE
    inside = np.zeros((len(points), len(at), len(at)), bool)
    corners = np.moveaxis(points, 1, 0)
    for a, b in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        (ax, ay), (bx, by) = a.T[:, :, None], b.T[:, :, None]
        spans = (ay > at) != (by > at)  # rows that the edge crosses
        rise = np.where(by == ay, 1, by - ay)
        crossing = ax + (at - ay) * (bx - ax) / rise
        inside ^= spans[:, :, None] & (at < crossing[:, :, None])
    return inside


def _photograph(
    styles: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One image (28, 28) of a random style for each label."""
    n, fine = len(labels), styles.shape[-1]

    def uniform(low: float, high: float) -> NDArray[np.float32]:
        draw = rng.random((n, 1, 1), dtype=np.float32)
        return np.float32(low) + draw * np.float32(high - low)

    # Where each pixel looks in the style: the inverse of stretch, shear and shift.
    at = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
    y = (at[:, None] - uniform(-3, 3)) * uniform(0.8, 1.2)
    x = (at[None, :] - uniform(-3, 3) + uniform(-0.2, 0.2) * y) * uniform(0.8, 1.25)
    rows, columns = (
        np.clip((axis + np.float32(SIDE / 2)) * np.float32(FINE) + 1, 0, fine - 1).astype(np.int32)
        for axis in (y, x)
    )
    style = labels * STYLES + rng.integers(STYLES, size=n)
    where = style.astype(np.int32)[:, None, None] * np.int32(fine * fine) + rows * fine + columns
    cloth = styles.ravel().take(where).astype(np.float32)

    # Stripes of a random period, along or across, on some; brightness; grain.
    period, across = rng.integers(2, 7, (n, 1, 1)), rng.random((n, 1, 1)) < 0.5
    grid = np.arange(SIDE)
    along = np.where(across, grid[None, :, None], grid[None, None, :])
    depth = np.where(uniform(0, 1) < 0.4, uniform(0, 0.6), np.float32(0))
    pattern = np.where(along % period < period // 2, 1 - depth, np.float32(1))
    grain = rng.integers(0, 256, (n, SIDE, SIDE), np.uint8).astype(np.float32)
    cloth *= pattern * uniform(0.3, 1.1) * (np.float32(0.85) + grain * np.float32(0.3 / 255))
    image = np.minimum(cloth, 255)

    # A grey rectangle hides a part of some images.
    top, left, height, width = rng.integers([0, 0, 3, 3], [SIDE, SIDE, 12, 12], (n, 4)).T[..., None]
    band = (grid >= top) & (grid < top + height)
    side = (grid >= left) & (grid < left + width)
    hidden = band[:, :, None] & side[:, None, :] & (uniform(0, 1) < 0.3)
    return np.where(hidden, uniform(0, 200), image).astype(np.uint8)

"""The ten garments of drawn fashion, as data: shapes painted one over another.

Coordinates are pixels of a 28 x 28 image, x to the right and y down. Each shape is drawn twice,
in its smallest and its largest form; a style of the garment lies somewhere between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Points = Sequence[tuple[float, float]]


class Shape(NamedTuple):
    """A polygon, in pixels from the top left corner; two points are an ellipse's centre and radii.

    ``small`` and ``large`` are its two extreme forms. ``tone`` is its brightness, 0 a hole.
    ``half`` is mirrored about the vertical axis. ``chance`` is the share of styles that have it.
    """

    tone: float
    small: Points
    large: Points
    half: bool = True
    chance: float = 1.0


def _torso(hem: float) -> Shape:
    small = [(11, 4), (14, 5), (14, hem - 2), (9.5, hem - 2), (9.3, 10), (9, 5)]
    large = [(10.5, 3.5), (14, 5), (14, hem), (7.5, hem), (8, 11), (8, 4.5)]
    return Shape(0.85, small, large)


def _sleeve(small_cuff: Points, large_cuff: Points) -> Shape:
    small = [(10.5, 4), (8.5, 5), *small_cuff, (9.5, 10.5)]
    large = [(10, 3.8), (7, 4.8), *large_cuff, (9.3, 12)]
    return Shape(0.8, small, large)


SHORT_SLEEVE = _sleeve([(5, 8), (7, 10)], [(1.5, 13), (4.5, 15.5)])
LONG_SLEEVE = _sleeve([(4.5, 20), (7, 20.5)], [(1.5, 24), (5, 24.8)])
ROUND_NECK = Shape(0.0, [(14, 4), (2.2, 1.3)], [(14, 4), (3.4, 2.8)], half=False)

GARMENTS: dict[str, tuple[Shape, ...]] = {
    "T-shirt/top": (
        _torso(26),
        SHORT_SLEEVE,
        ROUND_NECK,
        Shape(0.4, [(14, 13), (2, 2)], [(14, 14), (4, 3.5)], half=False, chance=0.4),  # a print
    ),
    "Trouser": (
        Shape(
            0.85,
            [(10.5, 2), (14, 2), (14, 8), (13, 26), (10.5, 26), (10, 10)],
            [(8.5, 2), (14, 2), (14, 10), (12.5, 26.5), (7, 26.5), (7.5, 10)],
        ),
        Shape(0.55, [(10.5, 2), (14, 2), (14, 3.2), (10.4, 3.2)],
              [(8.5, 2), (14, 2), (14, 4), (8.3, 4)]),
        Shape(0.6, [(13.7, 4), (14, 4), (14, 9), (13.7, 9)],
              [(13.5, 4), (14, 4), (14, 11), (13.5, 11)]),
    ),
    "Pullover": (
        _torso(25),
        LONG_SLEEVE,
        ROUND_NECK,
        Shape(0.5, [(9.5, 22), (14, 22), (14, 23), (9.5, 23)],
              [(7.5, 22), (14, 22), (14, 25), (7.5, 25)], chance=0.6),  # a ribbed hem
    ),
    "Dress": (
        Shape(
            0.85,
            [(11.5, 2), (13, 5), (14, 5), (14, 26), (10, 26), (12, 12), (11, 7)],
            [(10, 2), (12, 6), (14, 6.5), (14, 27), (5, 27), (10.5, 12), (9.5, 7)],
        ),
        Shape(0.8, [(11, 2.5), (9.5, 3.5), (8.5, 7), (10.5, 8)],
              [(10.5, 2.5), (8.5, 3.5), (5, 12), (8, 13)], chance=0.45),
        Shape(0.45, [(12, 11.5), (14, 11.5), (14, 12.3), (12, 12.3)],
              [(10.5, 11.5), (14, 11.5), (14, 13), (10.5, 13)], chance=0.5),  # a belt
    ),
    "Coat": (
        _torso(27.5),
        LONG_SLEEVE,
        Shape(0.0, [(13.2, 4), (14, 4), (14, 9)], [(11.5, 3.5), (14, 3.5), (14, 12)]),
        Shape(0.5, [(11, 4), (13.2, 4), (14, 9.5), (12.5, 9)],
              [(10, 4), (11.7, 3.5), (14, 12.5), (10.5, 10)]),  # a lapel
        Shape(0.3, [(13.8, 9), (14, 9), (14, 27), (13.8, 27)],
              [(13.4, 11), (14, 11), (14, 27.5), (13.4, 27.5)]),  # the opening
        Shape(0.5, [(10, 18), (12.3, 17.6), (12.3, 18.3), (10, 18.7)],
              [(9, 18), (12.5, 17.4), (12.5, 18.6), (9, 19.2)], chance=0.7),  # a pocket
    ),
    "Sandal": (
        Shape(0.8,
              [(2, 20.5), (14, 20.8), (26, 19.5), (26, 22), (22.5, 22), (14, 22), (2, 22)],
              [(1, 20), (14, 20.5), (27, 17), (27, 23), (23, 23), (14, 22.5), (1, 22.5)],
              half=False),
        Shape(0.7, [(3, 20.5), (6, 17), (7.5, 17), (9, 20.5)],
              [(3, 20.5), (6, 13), (9, 13), (12, 20.5)], half=False),
        Shape(0.7, [(14, 20.5), (23, 14), (24, 15), (16, 20.5)],
              [(11, 20.5), (21, 8), (24, 10), (15, 20.5)], half=False, chance=0.8),
        Shape(0.75, [(24.3, 20), (23, 14), (24.5, 14), (26, 20)],
              [(22, 19), (21, 8), (24, 8), (26.8, 19)], half=False, chance=0.9),
        Shape(0.0, [(6.2, 20), (6.8, 18.5), (7.4, 20)],
              [(5.5, 20.2), (7.4, 15.5), (9.5, 20.2)], half=False),
    ),
    "Shirt": (
        _torso(26.5),
        LONG_SLEEVE._replace(small=SHORT_SLEEVE.small),
        Shape(0.0, [(13, 3), (14, 3), (14, 5.5)], [(12.3, 3), (14, 3), (14, 8)]),
        Shape(1.0, [(11.5, 3), (13, 3), (13.8, 5.5), (12, 6)],
              [(10.5, 3), (12.3, 2.5), (13.8, 8), (11, 7.5)]),  # a collar
        Shape(0.5, [(13.8, 6), (14, 6), (14, 26), (13.8, 26)],
              [(13.5, 8), (14, 8), (14, 26.5), (13.5, 26.5)]),
        *(
            Shape(1.0, [(14, y), (0.4, 0.4)], [(14, y), (0.8, 0.8)], half=False)
            for y in (9, 13, 17, 21)
        ),
        Shape(0.6, [(16, 11), (18, 11), (18, 13), (16, 13)],
              [(15.5, 10.5), (19, 10.5), (19, 15), (15.5, 15)], half=False, chance=0.5),
    ),
    "Sneaker": (
        Shape(
            0.7,
            [(2.5, 20), (3, 18), (9, 16), (15, 12.5), (18, 14), (24, 13), (25.5, 20)],
            [(1.5, 20.5), (2, 16), (8, 14), (15, 9), (18, 11.5), (25, 9), (27, 20.5)],
            half=False,
        ),
        Shape(1.0, [(2, 19.5), (26, 19), (26, 21), (2, 21)],
              [(1, 19), (27, 18), (27, 23), (1, 23)], half=False),
        *(
            Shape(1.0, [(x, y), (0.5, 0.9)], [(x, y), (0.9, 1.2)], half=False)
            for x, y in ((10, 15.5), (12, 14.4), (14, 13.3))
        ),
        Shape(0.3, [(18, 19), (22, 15), (23, 15), (20, 19)],
              [(15, 18.5), (23, 13), (25, 13), (19, 18.5)], half=False, chance=0.6),
    ),
    "Bag": (
        Shape(0.7, [(14, 11), (5, 6)], [(14, 11), (8, 9.5)], half=False),
        Shape(0.0, [(14, 11), (4, 5)], [(14, 11), (6.6, 8)], half=False),
        Shape(0.85, [(6, 11), (14, 11), (14, 22), (5.5, 22)],
              [(3, 9), (14, 9), (14, 26), (1, 26)]),
        Shape(0.55, [(6, 11), (14, 11), (14, 15), (8, 14)],
              [(3, 9), (14, 9), (14, 18), (5, 16)], chance=0.7),  # a flap
        Shape(1.0, [(14, 15), (1, 0.8)], [(14, 17), (1.8, 1.5)], half=False, chance=0.8),
    ),
    "Ankle boot": (
        Shape(
            0.8,
            [(3, 22), (3.5, 19), (9, 17), (14, 14), (15, 6), (24, 6), (25, 22)],
            [(1.5, 22), (2, 17.5), (8, 15), (12, 12), (12, 2), (25, 2), (26.5, 22)],
            half=False,
        ),
        Shape(0.45, [(3, 21.5), (25, 21.5), (25, 24), (20, 24), (19.5, 23), (3, 23)],
              [(1.5, 21), (26.5, 21), (26.5, 27), (18, 27), (17, 23.5), (1.5, 23.5)], half=False),
        Shape(0.4, [(15, 7), (16, 7), (17, 14), (16, 14)],
              [(14, 5), (18, 5), (19, 16), (16, 16)], half=False, chance=0.6),  # elastic
    ),
}

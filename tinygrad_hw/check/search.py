"""The search: Hypothesis draws dimensions and values, and shrinks for each name by itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_hw.check.inputs import VARIANTS, Input, Numbers, Sample, Sizes, array, strategies
from tinygrad_hw.check.oracles import COTANGENT

USUAL_LIMITS = (1, 5)
MOST_VARIANTS = 150
Limits = dict[str, tuple[int, int]]
Shape = Callable[[Mapping[str, Any]], tuple[int, ...]]


@dataclass
class Space:
    """All points at which a derivation can be checked.

    `cotangent`, of a pullback, gives the shape of the loss's value at given inputs; `computed`,
    of a step in a chain, all that follows from the inputs.
    """

    inputs: Mapping[str, Any]
    limits: Limits
    cotangent: Shape | None = None
    computed: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None

    def strategy(self, generic: bool = False) -> Any:
        """Samples as Hypothesis draws them: for the search, or without any pattern."""
        return strategies().composite(lambda draw: self.sample(draw, generic))()

    def sample(self, draw: Callable[[Any], Any], generic: bool) -> Sample:
        st = strategies()
        sizes = {}
        for letter, (least, most) in self.limits.items():
            if generic:  # an example of size 1 explains nothing
                least = min(max(least, 2), most)
            sizes[letter] = draw(st.integers(least, most))
        values: dict[str, Any] = {}
        for offset, (name, x) in enumerate(self.inputs.items()):
            values[name] = self.drawn(draw, x, sizes, offset, generic)
        if self.cotangent is not None:
            g = cotangent_like(self.cotangent(values))
            values[COTANGENT] = self.drawn(draw, g, sizes, len(values), generic)
        if self.computed is not None:
            values |= self.computed(values)
        return Sample(sizes, values)

    def drawn(self, draw: Any, x: Any, sizes: Sizes, offset: int, generic: bool) -> Any:
        if isinstance(x, Input):
            return (x.generic if generic else x.draw)(draw, sizes, offset)
        if isinstance(x, strategies().SearchStrategy):
            value = draw(x)
            return np.float64(value) if isinstance(value, float) else value
        return x

    def every_size(self) -> list[Sizes]:
        """All sizes up to 4, the smallest first."""
        ranges = [range(least, min(most, least + 3) + 1) for least, most in self.limits.values()]
        every = sorted(itertools.product(*ranges), key=lambda s: (sum(s), math.prod(s), s))
        return [dict(zip(self.limits, sizes, strict=True)) for sizes in every[:81]]

    def simplest(self, sizes: Sizes, varied: str = "", variant: int = 0) -> Sample:
        """The sample of these sizes that drawing shrinks toward, or one whose input `varied` begins
        with another number."""
        values: dict[str, Any] = {}
        for offset, (name, x) in enumerate(self.inputs.items()):
            chosen = variant if name == varied else 0
            values[name] = x.simplest(sizes, offset, chosen) if isinstance(x, Input) else x
        if self.cotangent is not None:
            g = cotangent_like(self.cotangent(values))
            values[COTANGENT] = g.simplest(sizes, len(values))
        if self.computed is not None:
            values |= self.computed(values)
        return Sample(sizes, values)

    def by_size(self) -> Iterator[tuple[Sizes, Sample]]:
        """The simplest sample of every size, where all inputs are declared or fixed."""
        drawn = [
            not x.known() if isinstance(x, Input) else isinstance(x, strategies().SearchStrategy)
            for x in self.inputs.values()
        ]
        if not any(drawn):
            for sizes in self.every_size():
                yield sizes, self.simplest(sizes)

    def variants(self, below: int) -> Iterator[Sample]:
        """For sizes whose sum is smaller, each input in turn in another of its simplest values."""
        declared = [name for name, x in self.inputs.items() if isinstance(x, Input)]
        for sizes in self.every_size():
            if sum(sizes.values()) < below:
                for variant in range(1, VARIANTS):
                    yield from (self.simplest(sizes, name, variant) for name in declared)


def cotangent_like(shape: tuple[int, ...]) -> Numbers:
    return array(*shape)


def draw_samples(space: Space, seed: int, count: int, generic: bool = False) -> list[Sample]:
    """`count` samples, which the seed alone decides."""
    from hypothesis import Phase

    samples: list[Sample] = []
    run(space.strategy(generic), samples.append, seed, count, [Phase.generate])
    return samples


def shrink(
    space: Space, seed: int, count: int, condition: Callable[[Sample], bool]
) -> Sample | None:
    """The simplest sample that meets the condition, or None if none is found: of the smallest sizes
    with the simplest numbers, where that suffices; otherwise what Hypothesis shrinks to."""
    simplest = next(((sizes, s) for sizes, s in space.by_size() if condition(s)), None)
    if simplest is not None:
        sizes, sample = simplest
        smaller = itertools.islice(space.variants(sum(sizes.values())), MOST_VARIANTS)
        return next((s for s in smaller if condition(s)), sample)
    from hypothesis import Phase

    met: list[Sample] = []

    def look(sample: Sample) -> None:
        if condition(sample):
            met.append(sample)
            raise Met

    try:  # the seed draws what the search has seen, and Hypothesis shrinks the first that meets it
        run(space.strategy(), look, seed, count, [Phase.generate, Phase.shrink])
    except Met:
        return met[-1]
    return None


class Met(Exception):
    """A sample meets the condition."""


def run(
    strategy: Any, look: Callable[[Sample], None], seed: int, count: int, phases: list[Any]
) -> None:
    """Let Hypothesis draw samples, without its database and its deadlines."""
    import hypothesis

    chosen: Any = hypothesis.settings(
        max_examples=count,
        phases=phases,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def see(sample: Sample) -> None:
        look(sample)

    given: Any = hypothesis.given(strategy)
    hypothesis.seed(seed)(chosen(given(see)))()

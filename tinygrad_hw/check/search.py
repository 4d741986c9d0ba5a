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

    def simplest(self, sizes: Sizes, replaced: str = "", value: Any = None) -> Sample:
        """The sample of these sizes that drawing shrinks toward, or one with another value for the
        input `replaced`."""
        values: dict[str, Any] = {}
        for offset, (name, x) in enumerate(self.inputs.items()):
            values[name] = x.simplest(sizes, offset) if isinstance(x, Input) else x
        if replaced:
            values[replaced] = value
        if self.cotangent is not None:
            g = cotangent_like(self.cotangent(values))
            values[COTANGENT] = g.simplest(sizes, len(values))
        if self.computed is not None:
            values |= self.computed(values)
        return Sample(sizes, values)

    def known(self) -> bool:
        """Whether the simplest samples can be told without drawing."""
        return not any(
            not x.known() if isinstance(x, Input) else isinstance(x, strategies().SearchStrategy)
            for x in self.inputs.values()
        )

    def declared(self) -> list[tuple[int, str, Input]]:
        places = enumerate(self.inputs.items())
        return [(offset, name, x) for offset, (name, x) in places if isinstance(x, Input)]

    def variants(self, below: float) -> Iterator[Sample]:
        """For sizes whose sum is smaller, each input in turn in another of its simplest values."""
        for sizes in self.every_size():
            if sum(sizes.values()) < below:
                for variant in range(1, VARIANTS):
                    for offset, name, x in self.declared():
                        yield self.simplest(sizes, name, x.simplest(sizes, offset, variant))

    def special(self) -> Iterator[Sample]:
        """What is visited on purpose, whatever the seed: sizes of 1, and the special values of
        every input, at the least sizes and at ordinary ones."""
        least = {letter: low for letter, (low, _) in self.limits.items()}
        ordinary = {letter: max(low, min(3, high)) for letter, (low, high) in self.limits.items()}
        for letter in self.limits:
            yield self.simplest({**ordinary, letter: least[letter]})
        for sizes in (least, ordinary) if self.limits else (least,):
            for offset, name, x in self.declared():
                for value in x.special(sizes, offset):
                    yield self.simplest(sizes, name, value)


def cotangent_like(shape: tuple[int, ...]) -> Numbers:
    return array(*shape)


def search(space: Space, seed: int, count: int) -> list[Sample]:
    """`count` samples: the special ones, at most half of them, and what Hypothesis draws."""
    special = list(itertools.islice(space.special(), count // 2)) if space.known() else []
    return special + draw_samples(space, seed, count - len(special))


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
    if space.known():
        simplest = map(space.simplest, space.every_size())
        plain = next((sample for sample in simplest if condition(sample)), None)
        below = sum(plain.sizes.values()) if plain else math.inf
        varied = itertools.islice(space.variants(below), MOST_VARIANTS)
        for sample in (*varied, *([plain] if plain else []), *space.special()):
            if condition(sample):
                return sample
    from hypothesis import Phase
    from hypothesis.errors import Flaky

    met: list[Sample] = []

    def look(sample: Sample) -> None:
        if condition(sample):
            met.append(sample)
            raise Met

    try:  # the seed draws what the search has seen, and Hypothesis shrinks the first that meets it
        run(space.strategy(), look, seed, count, [Phase.generate, Phase.shrink])
    except (Met, Flaky):  # flaky: a claim that is random
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

"""All that is known of one name: how it fared in the search, and at generic samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_hw.check.fits import LOOSE, TIGHT, Formula, formula, ratios
from tinygrad_hw.check.inputs import Array, Sample
from tinygrad_hw.check.oracles import Oracle
from tinygrad_hw.check.regions import Seen, describe
from tinygrad_hw.check.terms import Layout, scalars_of
from tinygrad_hw.check.verdict import Claim, Trial


@dataclass
class Evidence:
    """All that is known of one name: how it fared in the search, and at generic samples."""

    name: str
    title: str  # what the derivative is called: dW, or the Hessian for W
    inputs: Mapping[str, Any]
    searched: Sequence[Trial]
    generic: Sequence[Trial]
    smallest: Trial
    run: Callable[[Sample], Trial | None]
    claim: Claim
    oracle: Oracle

    # ------------------------------------------------------------------ trials, seen one way

    @cached_property
    def every(self) -> list[Trial]:
        return [*self.searched, *self.generic]

    def verdict_ok(self, trial: Trial) -> bool:
        return trial.verdicts[self.name].ok

    def problems(self, trials: Sequence[Trial]) -> list[str | None]:
        return [t.verdicts[self.name].problem for t in trials]

    @cached_property
    def paired(self) -> list[Trial]:
        """Generic trials with finite numbers on both sides."""
        return [
            t for t in self.generic
            if t.verdicts[self.name].claimed is not None
            and np.isfinite(self.claimed(t)).all()
        ]

    def claimed(self, trial: Trial) -> Array:
        array = trial.verdicts[self.name].claimed
        assert array is not None
        return array.astype(np.result_type(array, np.float64))

    def true(self, trial: Trial) -> Array:
        return trial.verdicts[self.name].true

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.inputs, [t.sample for t in self.paired])

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters of the derivative's axes."""
        return self.layout.of_shapes(self.title, [self.true(t).shape for t in self.paired])

    @cached_property
    def variables(self) -> dict[str, Array]:
        """What a formula may contain: letters, letters less one, and hyperparameters."""
        samples = [t.sample for t in self.paired]
        sizes = self.layout.sizes(samples)
        numbers = [scalars_of(s) for s in samples]
        scalars = {
            k: np.array([n[k] for n in numbers])
            for k in numbers[0]
            if k != self.name and k not in sizes and all(k in n for n in numbers)
        }
        less = {f"{k}-1": v - 1 for k, v in sizes.items() if k.isidentifier()}
        return {**sizes, **scalars, **less}

    @property
    def dimensions(self) -> list[str]:
        """The dimensions over which a mean may go: those that the derivative does not have."""
        return [k for k in self.layout.letters.values() if k not in self.letters]

    @cached_property
    def digits(self) -> float:
        """How closely a fit must hold: loosely where the claim computed in less than float64."""
        narrow = any(
            t.verdicts[self.name].claimed.dtype.itemsize < 8  # type: ignore[union-attr]
            for t in self.paired
        )
        return LOOSE if narrow else TIGHT

    def fitted(self, lefts: Sequence[Array], rights: Sequence[Array]) -> Formula | None:
        """The formula r with left = r · right in every sample."""
        found = ratios(lefts, rights, self.digits)
        return None if found is None else formula(found, self.variables, self.digits)

    def seen(self, wrong: Callable[[Trial], Array | None]) -> list[Seen]:
        """Each trial with the entries that `wrong` marks (or the trial as a whole), and where an
        error could have been seen: not where the derivative vanishes. None leaves a trial out."""
        found = []
        generic = {id(t) for t in self.generic}
        for t in self.every:
            mask = wrong(t)
            if mask is not None:
                telling = np.asarray(np.isfinite(self.true(t)) & (abs(self.true(t)) > 1e-9))
                if telling.shape != mask.shape:
                    told = t.verdicts[self.name].problem not in (None, "value")
                    telling = np.asarray(told or telling.any())
                found.append(Seen(t.sample, mask, telling, id(t) in generic))
        return found

    def region(self, wrong: Callable[[Trial], Array | None]) -> str | None:
        """Where a claim is wrong, described."""
        seen = self.seen(wrong)
        if not any(t.wrong.any() for t in seen) or all(t.wrong.all() for t in seen):
            return None

        def experiment(sample: Sample) -> Array | None:
            trial = self.run(sample)
            return None if trial is None else wrong(trial)

        samples = [t.sample for t in self.every]
        layout = Layout(self.inputs, samples)
        letters = layout.of_shapes(self.title, [self.true(t).shape for t in self.every])
        return describe(self.inputs, layout, letters, seen, experiment)

    def has(self, *problems: str) -> Callable[[Trial], Array]:
        """Marks whole trials that had one of these problems."""
        return lambda t: np.array(t.verdicts[self.name].problem in problems)

    def entries(self, trial: Trial) -> Array | None:
        """Marks the entries that were wrong."""
        return trial.verdicts[self.name].wrong

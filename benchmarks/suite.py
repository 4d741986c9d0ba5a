"""The workloads by name, and how one of them runs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.contest import fitted, held


class Workload(NamedTuple):
    """A module of `contests(quick, threads)`, or of `curves(quick)`, which measures growth."""

    about: str
    threads: tuple[int, ...] = (1,)  # it is run anew with each of these


WORKLOADS = {
    "softmax": Workload("softmax regression on images: a step, an epoch", (1, 2)),
    "mlp": Workload("an MLP 784-256-128-10 with Adam: a step, loading", (1, 2)),
    "kernels": Workload("softmax, log-sum-exp, cross-entropy, thin products", (1, 2)),
    "chains": Workload("chains of small ops, forward and backward"),
    "hessians": Workload("Hessian-vector products and Hessians of softmax regression"),
    "loading": Workload("the DataLoader alone; batches made ahead of a step", (1, 2)),
    "newton": Workload("softmax regression to its optimum, beside scikit-learn"),
    "starting": Workload("imports, the first step, peak memory, the main job"),
    "growth": Workload("time and memory against batch, features, classes, depth, images"),
}


PAUSE = 0.05  # OpenBLAS's threads spin for about half as long


def run(name: str, quick: bool, threads: int) -> Iterator[dict[str, Any]]:
    """What comes of a workload, as it comes: {"table": …}, {"growth": …} or {"failed": why}.

    A contest that fails does not keep the next from being held.
    """
    module = import_module(f"benchmarks.{name}")
    if hasattr(module, "curves"):
        for growth in module.curves(quick):
            yield {"growth": fitted(growth)}
        return
    for contest in module.contests(quick, threads):
        try:
            yield {"table": held(contest, PAUSE if threads > 1 else 0.0) | {"threads": threads}}
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            yield {
                "failed": f"{contest.workload}, {contest.case}: {type(error).__name__}: {error} "
                f"({Path(at.filename).name}, line {at.lineno})"
            }

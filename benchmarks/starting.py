"""What comes before the first result, in new processes: imports, a first step, memory, a whole job.

Every run is a process of its own. The first round, which does not count, compiles what the others
find compiled.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.data import training_set
from benchmarks.peers import PEERS, Absent
from benchmarks.processes import ROOT, fresh, reported, started

IMPORT = """
from time import perf_counter
start = perf_counter()
import {}
print('{{"cost": %r}}' % (perf_counter() - start))
"""


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    yield imports(quick)
    yield first_step(quick)
    yield memory(quick)
    yield main_job(quick)


def imports(quick: bool) -> Contest:
    names = {"tinygrad_hw": "tinygrad_hw", "numpy": "NumPy"} | PEERS
    del names["sklearn"]
    return Contest(
        "import", "in a new process", "ms", 1e3,
        {
            who: reported([sys.executable, "-c", IMPORT.format(library)], library)
            for library, who in names.items()
        },
        rounds=1 if quick else 7,
    )


def first_step(quick: bool) -> Contest:
    def step(library: str, **variables: str) -> Contender:
        return reported(fresh("step", library), library, **variables)

    def cold() -> Outcome:
        with tempfile.TemporaryDirectory() as cache:
            return step("tinygrad_hw", NUMBA_CACHE_DIR=cache)()

    return Contest(
        "first step", "from the process's start to its end", "ms", 1e3,
        {
            "tinygrad_hw": step("tinygrad_hw"),
            "tinygrad_hw, cold Numba cache": unless(quick, cold),
            "tinygrad_hw, NUMBA_DISABLE_JIT=1": step("tinygrad_hw", NUMBA_DISABLE_JIT="1"),
            "NumPy by hand": step("numpy"),
            "PyTorch, eager": step("torch"),
            "JAX, jitted": step("jax"),
        },
        rounds=1 if quick else 5,
        note="softmax regression, batch 64, with a warm Numba cache",
    )


def memory(quick: bool) -> Contest:
    def epoch(library: str, data: str) -> Contender:
        return reported(fresh("epoch", library, data, str(folder() or "")), library)

    return Contest(
        "memory", f"an epoch of {training_set().name}", "MB at most", 1,
        {
            "tinygrad_hw": epoch("tinygrad_hw", "tinygrad_hw"),
            "NumPy by hand, float32 data": from_files(epoch("numpy", "float32")),
            "NumPy by hand, bytes": from_files(epoch("numpy", "bytes")),
            "PyTorch, float32 data": from_files(epoch("torch", "float32")),
            "PyTorch, bytes": from_files(epoch("torch", "bytes")),
        },
        rtol=1e-3, atol=1e-4, rounds=1,
        note="softmax regression, batch 64, a process that reads the files",
    )


def main_job(quick: bool) -> Contest:
    """Ours is the README's own command."""
    epochs = ["--epochs", "1" if quick else "10"]
    length = "1 epoch" if quick else "10 epochs"
    place = folder()
    data = ["--data-dir", str(place)] if place else []
    example, script = ROOT / "examples/fashion_softmax.py", ROOT / "benchmarks/main_job_torch.py"

    def in_torch(loading: str) -> Contender:
        return from_files(job(script, [*epochs, *data, "--loading", loading], "torch"))

    return Contest(
        "main job", f"{training_set().name}, {length}", "s", 1,
        {
            "tinygrad_hw": job(example, [*epochs, *data]),
            "PyTorch, indexed tensors": in_torch("indexed"),
            "PyTorch, DataLoader": unless(quick, in_torch("DataLoader")),
        },
        rtol=1e-3, atol=1e-3, rounds=1 if quick else 3,
        note="examples/fashion_softmax.py from start to exit, with its pictures",
    )


def unless(quick: bool, run: Contender) -> Contender:
    """A contender that is left out of a quick run."""

    def left_out() -> Outcome:
        raise Absent("it takes too long for a quick run")

    return left_out if quick else run


def job(script: Path, flags: list[str], library: str = "") -> Contender:
    """A contender that runs a script from start to exit; its figures are in its metrics.json."""

    def run() -> Outcome:
        with tempfile.TemporaryDirectory() as out:
            start = perf_counter()
            started([sys.executable, str(script), *flags, "--out", out], library)
            seconds = perf_counter() - start
            metrics = json.loads(Path(out, "metrics.json").read_text())
        assert metrics["gradient_check"] < 1e-12
        names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
        return seconds, {name: metrics[name] for name in names}

    return run


def folder() -> Path | None:
    """Where Fashion-MNIST's files are."""
    from tinygrad_hw.datasets import fashion_mnist

    for place in fashion_mnist._places():
        for base in (place, place / fashion_mnist.RAW):
            if any(base.glob("train-images-idx3-ubyte*")):
                return base
    return None


def from_files(run: Contender) -> Contender:
    """A contender that has nothing to read where there is no Fashion-MNIST."""

    def checked() -> Outcome:
        if folder() is None:
            raise Absent("it reads Fashion-MNIST's files, and they are not here")
        return run()

    return checked

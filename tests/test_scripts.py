"""Small scripts as people learn from them, each run on both libraries, only the imports changed.

They draw their weights and batches with NumPy, or print only what does not depend on a generator's
own numbers. `python tests/test_scripts.py [name ...]` prints what is not alike, script by script.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import pytest
from side_by_side import compare, differences, with_our_imports

pytest.importorskip("torch")

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_same_is_printed(path: Path) -> None:
    assert not compare(path)


def test_only_imports_are_changed() -> None:
    text = "import torch\nimport torch.nn as nn\nfrom torch.optim import SGD\nx = torch.ones(2)\n"
    assert with_our_imports(text).splitlines() == [
        "import tinygrad_hw as torch",
        "import tinygrad_hw.nn as nn",
        "from tinygrad_hw.optim import SGD",
        "x = torch.ones(2)",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("loss 0.5001", "loss 0.5004"),  # a number
        ("1000 0.12345", "1001 0.12345"),  # a count is exact
        ("tensor([1., 2.])", "tensor([1.0, 2.0])"),  # how numbers are written
        ("tensor([ 1., 2.])", "tensor([1., 2.])"),  # a space
        ("Linear(2, 3)", "linear(2, 3)"),
        ("one", "one\ntwo"),
        ("nan", "0.5"),
    ],
)
def test_a_difference_is_seen(ours: str, theirs: str) -> None:
    assert list(differences(ours, theirs, 1e-4))


def test_what_is_alike() -> None:
    assert not list(differences("a 0.50001\n-0.", "a 0.50002\n0.", 1e-4))
    assert not list(differences("float32 1e-05", "torch.float32 1.00001e-05", 1e-4))


if __name__ == "__main__":
    for path in SCRIPTS:
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            try:
                found = compare(path)
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)
                at = [f"line {f.lineno}: " for f in frames if f.filename == str(path)]
                found = ["".join(at[-1:]) + f"{type(error).__name__}: {error}".split("\n")[0]]
            print(f"{path.stem:24} {'alike' if not found else ''}")
            for difference in found[:4]:
                print(f"    {difference[:300]}")

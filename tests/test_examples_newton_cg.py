"""Newton-CG's example as its users meet it: what it prints, writes, and refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_hw as th

EXAMPLES = Path(__file__).parents[1] / "examples"
# The example on a small drawn set, so that a run takes a second.
SMALL = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import newton_cg_softmax
from tinygrad_hw.datasets import DrawnFashion
sizes = {{True: 1200, False: 300}}
newton_cg_softmax.cli.garments = lambda *_: [DrawnFashion(t, n=sizes[t]) for t in sizes]
sys.argv[0] = "newton_cg_softmax.py"
newton_cg_softmax.cli.run(newton_cg_softmax.main)
"""


def newton(*flags, status=0):
    command = [sys.executable, "-c", SMALL, *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def table(printed):
    """The steps: number, loss, gradient norm, CG steps, length, seconds."""
    rows = [line.split() for line in printed.splitlines() if re.match(r" +\d+ +\d", line)]
    return np.array([[float(x) for x in row] for row in rows])


def test_the_optimum_is_reached(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    printed, _ = newton("--l2", 1e-3, "--out", tmp_path)
    steps = table(printed)
    assert steps[:, 0].tolist() == list(range(len(steps)))
    assert len(steps) < 30
    assert (np.diff(steps[:, 1]) < 1e-7).all()
    assert steps[-1, 2] <= 1e-5 < steps[-2, 2]
    assert (steps[:-1, 3] > 0).all()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["dataset"] == "drawn-fashion"
    assert metrics["hyperparameters"] == {"l2": 1e-3, "tolerance": 1e-5}
    assert 0.6 < metrics["test_accuracy"] < 0.95
    assert metrics["train_accuracy"] > metrics["test_accuracy"]
    np.testing.assert_allclose([s["grad_norm"] for s in metrics["steps"]], steps[:, 2], rtol=1e-3)
    for line in printed.splitlines()[-2:]:
        assert line.startswith("drawn-fashion")
    assert f"test accuracy {metrics['test_accuracy']:.4f}" in printed
    for name in ("convergence", "weights"):
        picture = plt.imread(tmp_path / f"{name}.png")
        assert min(picture.shape[:2]) > 300
        assert picture[..., :3].std() > 0.02


def test_there_is_one_optimum(tmp_path):
    weights = []
    for seed in (1, 2):
        flags = ("--l2", 0.01, "--tolerance", 1e-5, "--seed", seed, "--no-plots", "--quiet")
        printed, _ = newton(*flags, "--out", tmp_path)
        assert len(printed.splitlines()) == 2
        weights.append(th.load(tmp_path / "model.npz")["weight"].numpy())
    np.testing.assert_allclose(*weights, atol=2e-3)
    assert not list(tmp_path.glob("*.png"))


def test_steps_that_do_not_suffice_are_said_and_end_with_status_1(tmp_path):
    printed, _ = newton("--steps", 2, "--no-plots", "--out", tmp_path, status=1)
    steps = table(printed)
    assert steps[:, 0].tolist() == [0, 1, 2]
    assert steps[-1, 3:5].tolist() == [0, 0]
    assert "was NOT reached" in printed
    assert "after 2 steps" in printed


def test_l2_is_chosen_on_training_images(tmp_path):
    printed, _ = newton("--choose-l2", "--no-plots", "--out", tmp_path)
    assert "on 200 held-out training images" in printed
    found = re.findall(r"l2 +(\S+): accuracy (\S+),", printed)
    accuracies = {float(l2): float(accuracy) for l2, accuracy in found}
    assert list(accuracies) == [1e-3, 5e-4, 2e-4, 1e-4, 5e-5]
    chosen = json.loads((tmp_path / "metrics.json").read_text())["hyperparameters"]["l2"]
    assert accuracies[chosen] == max(accuracies.values())


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--l2", "0"], "number above 0"),
        (["--tolerance", "x"], "number from 0 up"),
        (["--steps", "0"], "whole number"),
        (["--out", __file__], "test_examples_newton_cg.py"),
    ],
)
def test_bad_flags_end_with_one_line_and_status_2(tmp_path, flags, says):
    _, err = newton("--out", tmp_path, *flags, status=2)
    assert says in err
    assert len(err.splitlines()) == 1

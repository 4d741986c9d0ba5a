"""Problem 1's example as its users meet it: what it prints, draws, and refuses."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "newton_one_step.py"


def newton(*flags, status=0):
    command = [sys.executable, EXAMPLE, *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def numbers(printed):
    """The table: start, distance before, after Newton by autodiff and by hand, after descent."""
    rows = [line for line in printed.splitlines() if re.match(r" +\d+ .*\|", line)]
    return np.array([[float(x) for x in row.replace("|", " ").split()] for row in rows])


def test_one_step_reaches_the_optimum_and_the_picture_shows_it(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    printed, _ = newton("--out", tmp_path)
    table = numbers(printed)
    assert table[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    before, auto, hand, one, many = table.T[1:]
    assert (before > 0.1).all()
    assert (auto < 1e-14 * before).all()
    assert (hand < 1e-14 * before).all()
    assert (one > 0.3 * before).all()
    assert (many > 1e-8 * before).all()
    picture = plt.imread(tmp_path / "path.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.05


@pytest.mark.parametrize(("features", "samples"), [(1, 1), (4, 4), (30, 200)])
def test_any_full_rank_problem(tmp_path, features, samples):
    flags = ("--features", features, "--samples", samples, "--seed", 7, "--starts", 3)
    printed, _ = newton(*flags, "--steps", 1, "--no-plots", "--out", tmp_path)
    table = numbers(printed)
    assert table.shape == (3, 6)
    assert (table[:, 2:4] < 1e-10 * table[:, 1:2]).all()
    assert not list(tmp_path.iterdir())


def test_dependent_features_are_refused_and_damping_helps(tmp_path):
    flags = ("--samples", 3, "--features", 5, "--no-plots", "--out", tmp_path)
    printed, err = newton(*flags, status=2)
    assert not printed
    assert len(err.splitlines()) == 1
    for words in ("singular", "rank 3", "--damping 1e-3"):
        assert words in err
    printed, _ = newton(*flags, "--damping", "1e-3")
    before, auto, hand = numbers(printed).T[1:4]
    assert (auto < 0.2 * before).all()
    np.testing.assert_allclose(auto, hand, rtol=0.05)
    left = [float(x) for x in re.findall(r"\d\.\de[-+]\d+", printed.splitlines()[-1])]
    assert 1e-6 < left[0] < 0.2


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--starts", "0"], "whole number"),
        (["--damping", "-1"], "number from 0 up"),
        (["--seed", "-1"], "non-negative"),
        (["--out", __file__], "test_examples_newton.py"),
    ],
)
def test_bad_flags_end_with_one_line_and_status_2(tmp_path, flags, says):
    _, err = newton("--out", tmp_path, *flags, status=2)
    assert says in err
    assert len(err.splitlines()) == 1

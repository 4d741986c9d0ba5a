"""The main example as its users meet it: what it writes, how it stops, goes on, and refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinygrad_hw as th

EXAMPLES = Path(__file__).parents[1] / "examples"
# The example on a small drawn set, so that a run takes a second.
SMALL = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import fashion_softmax
from tinygrad_hw.datasets import DrawnFashion
sizes = {{True: 6400, False: 500}}
fashion_softmax.cli.garments = lambda *_: [DrawnFashion(t, n=sizes[t]) for t in sizes]
sys.argv[0] = "fashion_softmax.py"
fashion_softmax.cli.run(fashion_softmax.main)
"""


def start(*flags, script=("-c", SMALL), **options):
    command = [sys.executable, *script, *map(str, flags)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(process, status=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, f"status {process.returncode}\n{out}\n{err}"
    return out, err


def weights(out):
    return th.load(out / "checkpoint.npz")["model"]["weight"].numpy()


def losses(out):
    return th.load(out / "checkpoint.npz")["history"]["losses"].numpy()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of three epochs, with pictures."""
    out = tmp_path_factory.mktemp("whole")
    printed, _ = finish(start("--epochs", 3, "--out", out))
    return out, printed


def test_metrics(whole):
    out, _ = whole
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["dataset"] == "drawn-fashion"
    assert metrics["hyperparameters"] == {
        "epochs": 3, "lr": 0.09, "batch_size": 64, "weight_decay": 0.0,
    }  # fmt: skip
    assert metrics["seed"] == 0
    assert len(metrics["train_loss"]) == len(metrics["test_loss"]) == 3
    assert 2.3 > metrics["train_loss"][0] > metrics["train_loss"][-1] > 0.2
    assert 0.5 < metrics["test_accuracy"] < 0.95
    assert metrics["gradient_check"] < 1e-12
    assert metrics["seconds"] > 0


def test_listings_stand_beside_the_homeworks_figures(whole):
    _, printed = whole
    for line in ("Learning rate                0.09              0.09", "0.8598", "0.8409"):
        assert line in printed
    assert printed.rstrip().splitlines()[-1].startswith("drawn-fashion: test accuracy")
    last_batches = printed.split("accuracy\n")[-1].splitlines()[:5]
    assert [int(line.split()[0]) for line in last_batches] == [96, 97, 98, 99, 100]


@pytest.mark.parametrize("name", ["images", "loss", "weights", "confusion"])
def test_pictures_show_something(whole, name):
    plt = pytest.importorskip("matplotlib.pyplot")
    picture = plt.imread(whole[0] / f"{name}.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.02


def test_the_same_seed_gives_the_same_bits_and_another_others(whole, tmp_path):
    for seed in (0, 1):
        finish(start("--epochs", 3, "--no-plots", "--quiet", "--seed", seed, "--out", tmp_path))
        assert np.array_equal(weights(tmp_path), weights(whole[0])) == (seed == 0)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path, how):
    """Ctrl-C saves the batch it is at; a killed run goes on from its last finished epoch."""
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    finish(start("--epochs", 40, "--no-plots", "--quiet", "--out", straight))
    process = start("--epochs", 40, "--no-plots", "--quiet", "--out", stopped)
    while not (stopped / "checkpoint.npz").exists():
        time.sleep(0.005)
        assert process.poll() is None
    process.send_signal(how)
    out, _ = finish(process, 130 if how == signal.SIGINT else -how)
    assert ("--resume" in out) == (how == signal.SIGINT)
    assert not (stopped / "metrics.json").exists()
    finish(start("--epochs", 40, "--no-plots", "--quiet", "--resume", "--out", stopped))
    assert np.array_equal(weights(stopped), weights(straight))
    np.testing.assert_array_equal(losses(stopped), losses(straight))


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--epochs", "0"], "whole number"),
        (["--epochs", "three"], "whole number"),
        (["--lr", "-1"], "number from 0 up"),
        (["--lr", "nan"], "number from 0 up"),
        (["--batch-size", "0"], "whole number"),
        (["--data", "cifar"], "invalid choice"),
        (["--what"], "unrecognized"),
        (["--data-dir", "/nowhere"], "/nowhere"),
        (["--resume"], "checkpoint.npz"),
        (["--seed", "-1"], "whole number from 0"),
        (["--epochs", "²"], "whole number from 1"),
    ],
)
def test_bad_flags_end_with_one_line_and_status_2(tmp_path, flags, says):
    if "--out" not in flags:
        flags = [*flags, "--out", tmp_path]
    _, err = finish(start(*flags, script=[EXAMPLES / "fashion_softmax.py"]), 2)
    assert says in err
    assert len(err.splitlines()) == 1


def test_an_out_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    _, err = finish(start("--out", tmp_path / "file"), 2)
    assert len(err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_checkpoint_and_one_of_another_run_are_refused(whole, tmp_path):
    data = (whole[0] / "checkpoint.npz").read_bytes()
    (tmp_path / "checkpoint.npz").write_bytes(data)
    _, err = finish(start("--resume", "--lr", 0.5, "--out", tmp_path), 2)
    assert "'lr': 0.09" in err
    assert "'lr': 0.5" in err
    (tmp_path / "checkpoint.npz").write_bytes(data[: len(data) // 2])
    _, err = finish(start("--resume", "--out", tmp_path), 2)
    assert "damaged" in err


def test_a_checkpoint_of_something_else_and_one_of_more_epochs_are_refused(whole, tmp_path):
    th.save({"x": th.ones(1)}, tmp_path / "checkpoint.npz")
    _, err = finish(start("--resume", "--out", tmp_path), 2)
    assert "checkpoint.npz is of None" in err
    (tmp_path / "checkpoint.npz").write_bytes((whole[0] / "checkpoint.npz").read_bytes())
    _, err = finish(start("--resume", "--epochs", 1, "--out", tmp_path), 2)
    assert "3 epochs behind it, more than --epochs 1" in err


def test_a_diverged_run_says_so_and_keeps_the_last_good_checkpoint(tmp_path):
    _, err = finish(start("--lr", "1e38", "--quiet", "--out", tmp_path), 2)
    assert "not finite" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mount needs root")
def test_a_full_disk_ends_with_one_line(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", tmp_path]).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        _, err = finish(start("--epochs", 1, "--quiet", "--no-plots", "--out", tmp_path), 2)
        assert "No space left" in err
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_the_real_set_is_never_replaced_when_it_was_asked_for(tmp_path):
    environment = os.environ | {"TINYGRAD_HW_DATA": "", "XDG_CACHE_HOME": str(tmp_path)}
    process = start(
        "--data", "fashion-mnist", "--data-dir", tmp_path, "--out", tmp_path / "out",
        script=[EXAMPLES / "fashion_softmax.py"], env=environment,
    )  # fmt: skip
    out, err = finish(process, 2)
    assert "train-images-idx3-ubyte" in err
    assert "drawn" not in out + err
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_help_explains_every_flag():
    out, _ = finish(start("--help", script=[EXAMPLES / "fashion_softmax.py"]))
    training = ["--epochs", "--lr", "--batch-size", "--seed", "--weight-decay", "--resume"]
    for flag in [*training, "--data-dir", "--data {", "--out", "--no-plots", "--quiet"]:
        assert flag in out

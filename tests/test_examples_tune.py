"""The search for hyperparameters as its users meet it: honest, resumable, and clear."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
# The example on a small drawn set, so that a trial takes milliseconds.
SMALL = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import tune_softmax
from tinygrad_hw.datasets import DrawnFashion
train_set, test_set = DrawnFashion(True, n=3000), DrawnFashion(False, n=300)
labels = test_set.targets.numpy()
labels[:] = (labels + WRONG) % 10
tune_softmax.garments = lambda *_: (train_set, test_set)
sys.argv[0] = "tune_softmax.py"
tune_softmax.run(tune_softmax.main)
"""
SIZES = ("--trials", 9, "--epochs", 9, "--seeds", 2)


def start(*flags, script=None, wrong=0):
    script = script or ["-c", SMALL.replace("WRONG", str(wrong))]
    command = [sys.executable, *script, *map(str, flags)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
    )


def heed_ctrl_c():
    """A test run in the background may have been told to ignore it, and its children with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def finish(process, status=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, f"status {process.returncode}\n{out}\n{err}"
    return out, err


def results(out):
    return json.loads((out / "trials.json").read_text())["results"]


def metrics(out):
    return json.loads((out / "metrics.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A search that nothing stopped, with its picture."""
    out = tmp_path_factory.mktemp("whole")
    printed, _ = finish(start(*SIZES, "--out", out))
    return out, printed


def test_the_best_third_goes_on_and_the_best_is_chosen(whole):
    rounds = {epochs: {} for epochs in (1, 3, 9)}
    for name, trial in results(whole[0]).items():
        if name.startswith("recipe"):
            rounds[trial["epochs"]][name.split(",")[0]] = trial
    assert [len(trials) for trials in rounds.values()] == [9, 3, 1]
    for before, after in ((1, 3), (3, 9)):
        ranked = sorted(rounds[before], key=lambda name: -rounds[before][name]["accuracy"])
        assert set(rounds[after]) == set(ranked[: len(rounds[after])])
    (winner,) = rounds[9].values()
    chosen = metrics(whole[0])
    assert {k: winner[k] for k in chosen["recipe"]} == chosen["recipe"]
    assert winner["accuracy"] == chosen["validation_accuracy"] > 0.5


def test_the_figures_are_those_of_the_test_trials(whole):
    out, printed = whole
    found = metrics(out)
    a, b = (results(out)[f"test, seed {seed}"]["accuracy"] for seed in (0, 1))
    assert found["test_accuracies"] == [a, b]
    assert found["test_accuracy"] == pytest.approx((a + b) / 2)
    assert found["standard_deviation"] == pytest.approx(abs(a - b) / 2**0.5)
    last = printed.splitlines()[-1]
    assert last.startswith(f"drawn-fashion: test accuracy {(a + b) / 2:.4f}")
    assert "0.8409" in last
    assert "the homework's recipe" in printed


def test_the_test_set_has_no_say(whole, tmp_path):
    """With every label of the test set wrong, the search goes the same way to the end."""
    finish(start(*SIZES, "--quiet", "--no-plots", "--out", tmp_path, wrong=1))
    same, other = metrics(tmp_path), metrics(whole[0])
    assert same["recipe"] == other["recipe"]
    assert same["validation_accuracy"] == other["validation_accuracy"]
    assert same["test_accuracy"] < 0.3 < other["test_accuracy"]


def test_the_picture_shows_something(whole):
    plt = pytest.importorskip("matplotlib.pyplot")
    picture = plt.imread(whole[0] / "tuning.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.05


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_search_goes_on_to_the_same_table(whole, tmp_path, how):
    process = start(*SIZES, "--no-plots", "--out", tmp_path)
    while not (tmp_path / "trials.json").exists() or len(results(tmp_path)) < 3:
        time.sleep(0.002)
        assert process.poll() is None
    process.send_signal(how)
    out, _ = finish(process, 130 if how == signal.SIGINT else -how)
    assert ("The same command goes on." in out) == (how == signal.SIGINT)
    assert not (tmp_path / "metrics.json").exists()
    kept = results(tmp_path)
    assert 3 <= len(kept) < len(results(whole[0]))
    printed, _ = finish(start(*SIZES, "--no-plots", "--out", tmp_path))
    assert printed.replace(str(tmp_path), "") == whole[1].replace(str(whole[0]), "")
    after = results(tmp_path)
    assert {name: after[name] for name in kept} == kept  # seconds included: none was run again


def test_other_settings_and_damaged_records_are_refused(whole, tmp_path):
    record = tmp_path / "trials.json"
    record.write_bytes((whole[0] / "trials.json").read_bytes())
    _, err = finish(start("--trials", 8, *SIZES[2:], "--out", tmp_path), 2)
    for words in ("'trials': 9", "'trials': 8", "--out"):
        assert words in err
    for damage in ("", '{"settings": 1}'):
        record.write_text(damage)
        _, err = finish(start(*SIZES, "--out", tmp_path), 2)
        assert len(err.splitlines()) == 1
        assert "trials.json" in err
        assert record.read_text() == damage


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--trials", "0"], "whole number"),
        (["--data", "cifar"], "invalid choice"),
        (["--data-dir", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_flags_end_with_one_line_and_status_2(tmp_path, flags, says):
    script = [EXAMPLES / "tune_softmax.py"]
    _, err = finish(start("--out", tmp_path, *flags, script=script), 2)
    assert says in err
    assert len(err.splitlines()) == 1

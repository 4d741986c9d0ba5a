"""The benchmarks of growth and of new processes can fail: what grows too fast or too large is seen.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import growth
from benchmarks.contest import Growth, fitted
from benchmarks.peers import PEERS, Absent
from benchmarks.processes import fresh, reported, started

SIZES = 64, 128, 256, 512
on_linux = pytest.mark.skipif(not growth.STATUS.exists(), reason="asks Linux about the process")


def summing(count):
    """Work of a size: so many additions."""
    return lambda n: lambda: sum(range(count(n)))


def holding(count):
    return lambda n: lambda: np.zeros(count(n), np.uint8)


def verdict(values, expected=1, sizes=SIZES):
    return fitted(Growth("work", "n", "us", sizes, values, expected))


# The fit and the verdict


@pytest.mark.parametrize(("power", "within"), [(0.5, True), (1, True), (1.1, True), (1.2, False)])
def test_the_exponent_of_a_power(power, within):
    found = verdict([3 * n**power for n in SIZES])
    assert found["exponent"] == pytest.approx(power, abs=1e-3)
    assert found["within"] is within


def test_what_all_sizes_cost_does_not_hide_a_square():
    sizes = [10**k for k in range(1, 7)]
    assert not verdict([1e6 + n**2 for n in sizes], sizes=sizes)["within"]


def test_what_should_not_grow_at_all():
    assert verdict([70, 70, 71, 72], expected=0)["within"]
    assert not verdict([70 + 0.8 * n for n in SIZES], expected=0)["within"]


# Time and memory, measured


def test_linear_time_is_within():
    found = verdict(growth.times(SIZES, summing(lambda n: 100 * n), 3))
    assert found["within"]
    assert found["exponent"] > 0.7


def test_quadratic_time_is_found():
    found = verdict(growth.times(SIZES, summing(lambda n: n * n), 3))
    assert not found["within"]
    assert found["exponent"] == pytest.approx(2, abs=0.3)


def test_linear_memory_is_within():
    sizes = [1000 * n for n in SIZES]
    values = growth.memory(sizes, holding(lambda n: n))
    assert values == pytest.approx([n / 1024 for n in sizes], rel=0.05)
    assert verdict(values)["within"]


def test_quadratic_memory_is_found():
    assert not verdict(growth.memory(SIZES, holding(lambda n: n * n)))["within"]


def test_memory_is_the_peak_and_not_what_remains():
    def make(n):
        def work():
            np.zeros(n, np.uint8)
            return np.zeros(1)

        return work

    assert growth.memory([1 << 20], make)[0] >= 1024


def test_both_curves_of_real_work():
    grown = growth.grown("graph", "small ops", (50, 100, 200), growth.chain, 3)
    found = [fitted(curve) for curve in grown]
    assert [curve["unit"] for curve in found] == ["us", "KB"]
    assert all(0.5 < curve["exponent"] < 1.5 for curve in found)


def test_a_softmax_step_does_not_keep_its_rows():
    step = growth.softmax_step(16, 784, 10)
    rows = 16 * 784 * 4 / 1024
    step()
    assert growth.memory([0], lambda n: step)[0] < rows


# A memory-mapped data set


def epoch(path, n, before=""):
    """Seconds and MB of an epoch on the file's first n images, where `before` has been run."""
    code = f"import json\nimport numpy as np\nfrom benchmarks import fresh\n{before}\n"
    code += f"print(json.dumps(fresh.mapped({str(path)!r}, {n})))"
    return reported([sys.executable, "-c", code])()


@pytest.fixture
def images(tmp_path):
    """A file of black images of class 0. It takes no room: the system keeps no zeros."""
    path = tmp_path / "images"
    for end, size in ("", 200_000 * 784), (".labels", 200_000):
        with open(f"{path}{end}", "wb") as file:
            file.truncate(size)
    return path


@on_linux
def test_a_mapped_data_set_stays_on_the_disk(images):
    seconds, few = epoch(images, 1000)
    assert seconds > 0
    assert epoch(images, 60_000)[1] < few + 20


@on_linux
def test_a_data_set_in_memory_is_seen(images):
    read = "np.memmap = lambda path, dtype, mode, shape: "
    read += "np.fromfile(path, dtype, shape[0] * 784).reshape(shape)"
    few, many = (epoch(images, n, read)[1] for n in (1000, 60_000))
    assert many > few + 40  # 47 MB


@on_linux
def test_a_copy_that_comes_and_goes_is_refused(images):
    copying = "from tinygrad_hw.datasets.images import PixelVectors\n"
    copying += "gather = PixelVectors.gather\n"
    copying += "PixelVectors.gather = lambda self, at: (self.pixels.copy(), gather(self, at))[1]"
    with pytest.raises(RuntimeError, match="MemoryError"):
        epoch(images, 200_000, copying)


# New processes


def test_first_steps_agree():
    (_, ours), (_, by_hand) = (reported(fresh("step", who))() for who in ("tinygrad_hw", "numpy"))
    for name in ("weight", "bias"):
        assert np.abs(ours[name]).max() > 0
        np.testing.assert_allclose(ours[name], by_hand[name], rtol=1e-4, atol=1e-6)


def test_time_ends_at_the_first_line():
    code = "import time; time.sleep(0.1); print(flush=True); time.sleep(1)"
    assert 0.1 < started([sys.executable, "-c", code])[0] < 1


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1: .*ZeroDivisionError"):
        started([sys.executable, "-c", "1 / 0"])


def test_an_absent_library_is_named(monkeypatch):
    monkeypatch.setitem(PEERS, "nowhere", "Nowhere")
    with pytest.raises(Absent, match=r"Nowhere is not installed \(pip install"):
        started(["never run"], "nowhere")


@on_linux
def test_the_peak_of_memory_is_the_process_s_own():
    large = np.ones(300 << 20, np.uint8)  # in this process, which starts the other
    code = "from benchmarks import fresh; import json; print(json.dumps({'cost': fresh.peak()}))"
    assert reported([sys.executable, "-c", code])()[0] < 100
    assert large.all()

"""Batches made ahead on a thread: the same ones, errors in their turn, no thread left behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import traceback
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_hw as th
from tinygrad_hw.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    prefetch,
)


def threads():
    return [t for t in threading.enumerate() if t.name == "tinygrad_hw.prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


def seeded(seed):
    return th.Generator().manual_seed(seed)


def plain(value):
    """A batch in Python's own numbers, to be compared."""
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, th.Tensor) else value


class Squares(Dataset):
    """Of a sample by its index, in plain Python; `log` says on which thread and in which mode."""

    def __init__(self, n, bad=()):
        self.n, self.bad, self.log = n, bad, []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.log.append((threading.current_thread(), th.is_grad_enabled()))
        if index in self.bad:
            raise LookupError(f"sample {index}")
        return index**2


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        for i in range(self.n):
            time.sleep(0)
            yield i


class Slow(Sampler):
    """Plain Python, in its own order."""

    def __iter__(self):
        for i in (4, 0, 3, 3, 1):
            time.sleep(0.001)
            yield i

    def __len__(self):
        return 5


TABLE = TensorDataset(th.arange(14).reshape(7, 2), th.arange(7))
LOADERS = {
    "tensors": lambda **o: DataLoader(TABLE, 2, **o),
    "shuffled": lambda **o: DataLoader(TABLE, 3, shuffle=True, generator=seeded(1), **o),
    "drop_last": lambda **o: DataLoader(TABLE, 3, drop_last=True, **o),
    "samples": lambda **o: DataLoader(Squares(5), batch_size=None, **o),
    "single, shuffled": lambda **o: DataLoader(
        Squares(5), batch_size=None, sampler=RandomSampler(range(5), generator=seeded(2)), **o
    ),
    "a list": lambda **o: DataLoader([1.0, 2.0, 3.0], 2, **o),
    "a subset": lambda **o: DataLoader(Subset(TABLE, [3, 1, 5]), 2, **o),
    "collate_fn": lambda **o: DataLoader(Squares(7), 3, collate_fn=sum, **o),
    "slow sampler": lambda **o: DataLoader(Squares(7), 2, sampler=Slow(), **o),
    "batch_sampler": lambda **o: DataLoader(TABLE, batch_sampler=[[1], [0, 2, 4]], **o),
    "a subset's order": lambda **o: DataLoader(
        TABLE, 2, sampler=SubsetRandomSampler([1, 4, 6], seeded(3)), **o
    ),
    "a stream": lambda **o: DataLoader(Stream(5), 2, **o),
    "a stream's samples": lambda **o: DataLoader(Stream(5), batch_size=None, **o),
    "nothing": lambda **o: DataLoader(Squares(0), 2, **o),
}


# -------------------------------------------------------------------------------- the same batches


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("kind", LOADERS)
def test_the_same_batches_in_the_same_order(kind, n):
    ours, expected = LOADERS[kind](prefetch=n), LOADERS[kind]()
    for _ in range(2):
        assert [plain(batch) for batch in ours] == [plain(batch) for batch in expected]
        assert not threads()


def test_off_unless_asked_for():
    data = Squares(3)
    for options in ({}, {"num_workers": 2, "prefetch_factor": 4}):
        loader = DataLoader(data, **options)
        assert loader.prefetch == 0
        list(loader)
    assert {thread for thread, _ in data.log} == {threading.main_thread()}


@pytest.mark.parametrize("bad", [-1, 1.0, True, "2", None])
def test_what_is_no_number_of_batches(bad):
    with pytest.raises(ValueError, match="prefetch is a number of batches, 0 or more, not "):
        DataLoader([1], prefetch=bad)


def test_an_epoch_has_a_length_and_stays_ended():
    epoch = iter(DataLoader(TABLE, 2, prefetch=2))
    assert len(epoch) == 4
    assert len(list(epoch)) == 4
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(epoch)


@pytest.mark.parametrize("n", [1, 3])
def test_no_more_than_n_batches_are_made_ahead(n):
    data = Squares(20)
    epoch = iter(DataLoader(data, prefetch=n))
    for handed_out in range(5):
        deadline = time.monotonic() + 5
        while len(data.log) < handed_out + n and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.005)
        assert len(data.log) == handed_out + n
        next(epoch)


def test_batches_are_made_while_nobody_waits():
    """Two loads of 20 ms beside two steps of 20 ms: one after the other they would take 80."""

    class Waiting(Squares):
        def __getitem__(self, index):
            time.sleep(0.02)
            return index

    spent = []
    for n in (0, 1):
        begin = time.perf_counter()
        for _ in DataLoader(Waiting(5), prefetch=n):
            time.sleep(0.02)
        spent.append(time.perf_counter() - begin)
    assert spent[1] < 0.8 * spent[0]


def test_two_epochs_at_once():
    loader = DataLoader(TABLE, 2, shuffle=True, generator=seeded(5), prefetch=2)
    again = DataLoader(TABLE, 2, shuffle=True, generator=seeded(5))
    pairs = [plain(pair) for pair in zip(loader, loader, strict=True)]
    assert pairs == [plain(pair) for pair in zip(again, again, strict=True)]


def test_the_thread_has_the_modes_of_the_caller():
    data = Squares(3)
    with th.no_grad():
        epoch = iter(DataLoader(data, prefetch=1))
    assert th.is_grad_enabled()
    list(epoch)
    with th.no_grad():
        list(DataLoader(data, prefetch=1))
        assert not th.is_grad_enabled()
    list(DataLoader(data, prefetch=1))
    assert [enabled for _, enabled in data.log] == [False] * 6 + [True] * 3
    tracked = TensorDataset(th.ones(3, requires_grad=True))
    assert next(iter(DataLoader(tracked, prefetch=1)))[0].requires_grad
    with th.inference_mode():
        assert not next(iter(DataLoader(tracked, prefetch=1)))[0].requires_grad

    def divided(samples):
        return np.float64(1) / np.float64(samples[0])

    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(DataLoader([0], collate_fn=divided, prefetch=1))


# ------------------------------------------------------------------------------------------ errors


@given(n=st.integers(0, 12), size=st.integers(1, 4), ahead=st.integers(1, 4), data=st.data())
@settings(deadline=None, max_examples=50)
def test_errors_come_in_their_turn_and_are_passed_over(n, size, ahead, data):
    bad = data.draw(st.sets(st.integers(0, max(0, n - 1))))

    def course(**options):
        loader = DataLoader(Squares(n, bad), size, **options)
        epoch, seen = iter(loader), []
        for _ in range(n + 2):
            try:
                seen.append(plain(next(epoch)))
            except StopIteration:
                seen.append("end")
            except LookupError as error:
                seen.append(str(error))
            seen.append(loader.state_dict())
        return seen

    assert course(prefetch=ahead) == course()


def test_an_error_has_its_traceback_and_holds_no_epoch():
    loader = DataLoader(Squares(4, bad=[1]), prefetch=2)
    gc.disable()
    try:
        with pytest.raises(LookupError, match="sample 1") as caught:
            list(loader)
        names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert names[-1] == "__getitem__"
        assert "make" in names
        assert "__next__" in names
        del caught
        assert not threads()  # nor does it take the garbage collector
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration])
def test_whatever_is_raised_is_handed_on(kind):
    def refuse(samples):
        raise kind

    with pytest.raises(kind):
        next(iter(DataLoader([1, 2], collate_fn=refuse, prefetch=1)))


def test_a_sampler_that_fails():
    def order():
        yield 1
        raise LookupError("no more")

    class Failing(Sampler):
        def __iter__(self):
            return order()

    epoch = iter(DataLoader(Squares(3), sampler=Failing(), batch_size=None, prefetch=3))
    assert next(epoch) == 1
    with pytest.raises(LookupError, match="no more"):
        next(epoch)
    with pytest.raises(StopIteration):
        next(epoch)


# ---------------------------------------------------------------------------------- no thread stays


def test_breaking_off_ends_the_thread():
    loader = DataLoader(Squares(1000), prefetch=3)
    for _ in loader:
        assert len(threads()) == 1
        break
    assert not threads()  # though the loader knows where the epoch was
    assert loader.state_dict()["epoch"]["batches_done"] == 1


def test_an_error_of_the_training_step_ends_the_thread():
    def train():
        for batch in DataLoader(Squares(1000), prefetch=3):
            raise ArithmeticError(batch)

    with pytest.raises(ArithmeticError):
        train()
    assert not threads()


def test_a_dropped_loader_ends_the_thread_and_lets_go_of_the_data():
    data = Squares(1000)
    epoch = iter(DataLoader(data, prefetch=3))
    next(epoch)
    gone = weakref.ref(data)
    del data, epoch
    assert not threads()
    gc.collect()
    assert gone() is None


def test_an_endless_batch_does_not_hold_up_for_long(monkeypatch):
    monkeypatch.setattr(prefetch, "GRACE", 0.01)
    begun, release = threading.Event(), threading.Event()

    class Endless(IterableDataset):
        def __iter__(self):
            yield 1
            begun.set()
            release.wait()

    for _ in DataLoader(Endless(), batch_size=None, prefetch=1):
        begun.wait(5)
        begin = time.perf_counter()
        break
    assert time.perf_counter() - begin < 0.5
    (left,) = threads()
    release.set()
    left.join(5)


SCRIPT = """
import time, tinygrad_hw as th
class Slow(th.utils.data.Dataset):
    def __len__(self): return 10**6
    def __getitem__(self, i):
        time.sleep(0.01)
        return i
epoch = iter(th.utils.data.DataLoader(Slow(), prefetch=4))
next(epoch)
{end}
"""


@pytest.mark.parametrize("end", ["", "raise KeyboardInterrupt", "raise SystemExit(3)"])
def test_a_program_ends_in_the_middle_of_an_epoch(end):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(end=end)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == {"": 0, "raise SystemExit(3)": 3}.get(end, done.returncode)
    assert "Error" not in done.stderr
    assert done.stderr.count("Traceback") == ("Keyboard" in end)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_is_told_and_can_begin_anew():
    loader = DataLoader(Squares(5), prefetch=1)
    epoch = iter(loader)
    next(epoch)
    time.sleep(0.05)  # the second is made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads
        child = os.fork()
    if not child:
        try:
            next(epoch)
            next(epoch)
        except RuntimeError as error:
            anew = [plain(batch) for batch in loader]
            os._exit(0 if "after a fork" in str(error) and len(anew) == 5 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(list(epoch)) == 4


# ---------------------------------------------------------------------------- stopping, going on


RESUMABLE = [kind for kind in LOADERS if kind != "nothing"]


@given(kind=st.sampled_from(RESUMABLE), done=st.integers(0, 5), n=st.integers(0, 4))
@settings(deadline=None, max_examples=50)
def test_a_run_that_was_stopped_goes_on_with_the_same_batches(kind, done, n):
    """Whether either of the two runs makes batches ahead or not."""
    first, other, expected = (LOADERS[kind](prefetch=p) for p in (3, n, 0))
    epoch, untouched = iter(first), iter(expected)
    for _ in range(done):
        next(epoch, None)
        next(untouched, None)
    state = first.state_dict()
    assert state == expected.state_dict()
    other.load_state_dict(state)
    left = [] if state["epoch"] is None else [plain(batch) for batch in untouched]
    if state["epoch"] is not None:
        assert [plain(batch) for batch in other] == left
        assert [plain(batch) for batch in epoch] == left
    assert [plain(batch) for batch in other] == [plain(batch) for batch in expected]


class Drawing(Sampler):
    """Draws each index when it is asked for."""

    def __init__(self, generator):
        self.generator = generator

    def __iter__(self):
        for _ in range(6):
            yield int(th.randint(100, (), generator=self.generator))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_sampler_that_draws_as_it_goes_is_not_hurried(wrapped):
    """Else an epoch that is broken off would leave its generator anywhere."""

    def course(**options):
        order = {"sampler": Drawing(seeded(4))}
        if wrapped:
            order = {"batch_sampler": BatchSampler(order["sampler"], 2, True)}
        loader = DataLoader(Squares(100), **order, **options)
        epoch = iter(loader)
        seen = [plain(next(epoch)), loader.known_length(), loader.generator_state()]
        return seen + [plain(batch) for batch in loader]

    assert course(prefetch=3) == course()


def test_the_order_is_drawn_before_the_step_draws():
    """Both from the one default generator."""

    def course(**options):
        th.manual_seed(7)
        seen = []
        for (x,) in DataLoader(TensorDataset(th.arange(6)), 2, shuffle=True, **options):
            seen += [plain(x), float(th.rand(()))]
        return seen

    assert course(prefetch=2) == course()

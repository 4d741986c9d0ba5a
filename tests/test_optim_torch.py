"""Every optimizer beside PyTorch's, over 50 steps: parameters, state, options, saved state."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th

from parity import numpy, seeds, torch  # isort: skip

sampled = st.sampled_from
SHARED = {"lr": sampled([0.0, 0.001, 0.1]), "maximize": st.booleans()}
DECAY = {"weight_decay": sampled([0, 0.1])}
BETAS = {"betas": sampled([(0.9, 0.999), (0.3, 0.6), (0.0, 0.0)]), "eps": sampled([1e-8, 1e-2])}
OPTIONS = {
    "SGD": SHARED | DECAY | {"momentum": sampled([0, 0.5, 0.9]), "dampening": sampled([0, 0.3])},
    "Adam": SHARED | DECAY | BETAS | {
        "amsgrad": st.booleans(), "decoupled_weight_decay": st.booleans(),
    },
    "AdamW": SHARED | DECAY | BETAS | {"amsgrad": st.booleans()},
    "RMSprop": SHARED | DECAY | {
        "alpha": sampled([0.99, 0.5]), "eps": sampled([1e-8, 1e-2]),
        "momentum": sampled([0, 0.9]), "centered": st.booleans(),
    },
    "Adagrad": SHARED | DECAY | {
        "lr_decay": sampled([0, 0.1]), "initial_accumulator_value": sampled([0, 0.5]),
        "eps": sampled([1e-10, 1e-2]),
    },
    "Adadelta": SHARED | DECAY | {
        "lr": sampled([0.0, 0.1, 1.0]), "rho": sampled([0.9, 0.4]), "eps": sampled([1e-6, 1e-2]),
    },
    "NAdam": SHARED | DECAY | BETAS | {
        "momentum_decay": sampled([0, 4e-3]), "decoupled_weight_decay": st.booleans(),
    },
    "Adamax": SHARED | DECAY | BETAS,
    "Rprop": SHARED | {
        "etas": sampled([(0.5, 1.2), (0.1, 3.0)]), "step_sizes": sampled([(1e-6, 50), (0.05, 0.2)]),
    },
}  # fmt: skip
SHAPES = [(2, 3), (4,), (), (0,)]
RTOL = {"float32": 3e-6, "float64": 1e-12}  # one rounding of float32 for each of 50 steps


def test_every_optimizer_is_here():
    for name in OPTIONS:
        ours, theirs = (
            [(p.name, p.kind, p.default) for p in inspect.signature(c).parameters.values()]
            for c in (getattr(th.optim, name), getattr(torch.optim, name))
        )
        assert ours == theirs, name


class Both:
    """One optimizer of each library, on equal parameters in two groups, fed equal gradients."""

    def __init__(self, name, options, dtype, seed, tensor_lr):
        self.rng = np.random.default_rng(seed)
        self.name, self.options, self.dtype = name, options, dtype
        values = [self.rng.normal(size=s).astype(dtype) for s in SHAPES]
        self.params = {L: [L.tensor(v, requires_grad=True) for v in values] for L in (th, torch)}
        self.optimizers, self.largest = {}, {}
        for L in (th, torch):
            given = dict(options)
            if tensor_lr:
                given["lr"] = L.tensor(given["lr"])
            self.optimizers[L] = self.made(L, given)

    def made(self, L, options):
        first, *others = self.params[L]
        other = {"params": others, "lr": 0.02}
        if self.name != "Rprop":
            other["weight_decay"] = 0.3
        return getattr(L.optim, self.name)([{"params": [first]}, other], **options)

    def step(self):
        scale = 10.0 ** self.rng.integers(-3, 3)
        for i, shape in enumerate(SHAPES):
            g = scale * self.rng.normal(size=shape)
            idle = self.rng.random() < 0.2
            for L in (th, torch):
                self.params[L][i].grad = None if idle else L.tensor(g.astype(self.dtype))
        for L in (th, torch):
            self.optimizers[L].step()

    def check(self):
        """Numbers within the precision of the largest that each of them has been."""
        for i, (p, q) in enumerate(zip(*(self.params[L] for L in (th, torch)), strict=True)):
            self.close((i, "p"), p, q)
            ours, theirs = (dict(self.optimizers[L].state[x]) for L, x in ((th, p), (torch, q)))
            assert list(ours) == list(theirs)
            for key in ours:
                self.close((i, key), ours[key], theirs[key])

    def close(self, what, a, b):
        a, b = numpy(a), numpy(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), what
        size = np.abs(b[np.isfinite(b)]).max(initial=1e-30)
        size = self.largest[what] = max(size, self.largest.get(what, 0.0))
        close = np.abs(a - b) <= 2 * RTOL[self.dtype] * size
        assert (close | (a == b) | (np.isnan(a) & np.isnan(b))).all(), (what, a, b)

    def check_state_dicts(self):
        ours, theirs = (self.optimizers[L].state_dict() for L in (th, torch))
        assert list(ours) == list(theirs)
        assert {k: list(v) for k, v in ours["state"].items()} == {
            k: list(v) for k, v in theirs["state"].items()
        }
        for a, b in zip(ours["param_groups"], theirs["param_groups"], strict=True):
            assert [(k, plain(v)) for k, v in a.items()] == [(k, plain(v)) for k, v in b.items()]

    def exchange(self):
        """Each goes on from the state of the other, in an optimizer that had other options."""
        ours, theirs = (self.optimizers[L].state_dict() for L in (th, torch))
        for L, state in ((th, theirs), (torch, ours)):
            self.optimizers[L] = self.made(L, {"lr": 0.5})
            self.optimizers[L].load_state_dict(converted(state, L))


def plain(value):
    return value.item() if hasattr(value, "item") else value


def converted(value, L):
    """A state dict in the tensors of the other library."""
    if isinstance(value, dict):
        return {k: converted(v, L) for k, v in value.items()}
    if isinstance(value, list):
        return [converted(v, L) for v in value]
    return L.tensor(numpy(value)) if hasattr(value, "detach") else value


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data(), seed=seeds, dtype=sampled(["float32", "float64"]), tensor_lr=st.booleans())
def test_trajectories_equal_pytorchs(name, data, seed, dtype, tensor_lr):
    options = data.draw(st.fixed_dictionaries({}, optional=OPTIONS[name]))
    options.setdefault("lr", 0.01)
    exchange = data.draw(sampled([None, 0, 7]))
    both = Both(name, options, dtype, seed, tensor_lr)
    with np.errstate(invalid="ignore"):  # a variance that rounding made negative: nan in both
        for step in range(50):
            if step == exchange:
                both.exchange()
            both.step()
            both.check()
    both.check_state_dicts()


@pytest.mark.parametrize("name", OPTIONS)
def test_copies_go_on_by_themselves(name):
    p = th.tensor([1.0, 2.0], requires_grad=True)
    optimizer = getattr(th.optim, name)([p], lr=0.1)
    p.grad = th.tensor([3.0, -1.0])
    optimizer.step()
    for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        (q,) = copied.param_groups[0]["params"]
        assert q is not p
        q.grad = th.tensor([1.0, 1.0])
        copied.step()
        assert q.tolist() != p.tolist() == optimizer.param_groups[0]["params"][0].tolist()
    p.grad = th.tensor([1.0, 1.0])
    optimizer.step()
    assert q.tolist() == p.tolist()


@pytest.mark.parametrize("name", OPTIONS)
def test_reprs_are_equal(name):
    ours, theirs = (
        getattr(L.optim, name)(
            [{"params": [L.zeros(1, requires_grad=True)], "lr": 0.5}], lr=0.1, maximize=True
        )
        for L in (th, torch)
    )
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_step_writes_to_the_parameter_alone(name):
    base, g = np.ones((2, 3), np.float32), np.full((3, 2), 2, np.float32)
    p = th.from_numpy(base.T).requires_grad_()
    p.grad = th.from_numpy(g)
    graph = p * p
    optimizer = getattr(th.optim, name)([p])
    for _ in range(2):
        optimizer.step()
    assert (base < 1).all()
    assert (g == 2).all()
    for state in optimizer.state.values():
        for value in state.values():
            assert not np.shares_memory(value.array, base)
            assert value.dtype == th.float32
    with pytest.raises(RuntimeError, match="overwritten"):
        graph.sum().backward()


def test_named_parameters_keep_their_names():
    models = [L.nn.Linear(2, 1) for L in (th, torch)]
    for L, model in zip((th, torch), models, strict=True):
        optimizer = L.optim.Adam(model.named_parameters())
        assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
        with pytest.raises(ValueError, match="name"):
            optimizer.add_param_group({"params": [L.zeros(1, requires_grad=True)]})


def test_an_optimizer_of_ones_own():
    class Signs(th.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @th.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.state[p]["seen"] = self.state[p].get("seen", 0) + 1
                        p -= group["lr"] * p.grad.sign()

    p = th.tensor([1.0, -1.0], requires_grad=True)
    optimizer = Signs([p])
    assert not optimizer.stepped
    for _ in range(2):
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.tolist(), [0.8, -0.8], rtol=1e-6)
    assert optimizer.stepped
    assert optimizer.state_dict()["state"] == {0: {"seen": 2}}


def test_steps_of_an_old_state_dict_may_be_plain_numbers():
    p = th.tensor([1.0], requires_grad=True)
    adam = th.optim.Adam([p])
    state = adam.state_dict()
    state["state"] = {0: {"step": 3, "exp_avg": th.ones(1), "exp_avg_sq": np.ones(1)}}
    adam.load_state_dict(state)
    p.grad = th.ones(1)
    adam.step()
    assert adam.state[p]["step"].item() == 4
    assert adam.state[p]["exp_avg_sq"].dtype == th.float32


def test_groups_are_printed_apart():
    def shown(L):
        x, y = L.ones(1, requires_grad=True), L.ones(1, requires_grad=True)
        return repr(L.optim.Adam([{"params": [x]}, {"params": [y], "lr": 0.1}]))

    assert shown(th) == shown(torch)

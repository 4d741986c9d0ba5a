"""Modules: what they own, what they save, what they say, and what hooks see."""

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th
import tinygrad_hw.nn.functional as F
from tinygrad_hw import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.act = nn.Tanh()
        self.second = nn.Linear(4, 2, bias=False)
        self.register_buffer("steps", th.zeros(1))
        self.register_buffer("cache", th.ones(2), persistent=False)

    def forward(self, x):
        return self.second(self.act(self.first(x)))


def net(seed=0):
    th.manual_seed(seed)
    return Net()


# ------------------------------------------------------------------------------ what it owns


def test_attributes_are_registered_in_the_order_of_their_assignment():
    m = net()
    assert [n for n, _ in m.named_parameters()] == ["first.weight", "first.bias", "second.weight"]
    assert [n for n, _ in m.named_buffers()] == ["steps", "cache"]
    assert [n for n, _ in m.named_modules()] == ["", "first", "act", "second"]
    assert [n for n, _ in m.named_children()] == ["first", "act", "second"]
    assert list(m.parameters(recurse=False)) == []
    assert m.get_parameter("first.bias") is m.first.bias
    assert m.get_buffer("cache") is m.cache
    assert m.get_submodule("second") is m.second
    assert m.second.bias is None
    with pytest.raises(AttributeError, match="no module 'third'"):
        m.get_submodule("third")
    with pytest.raises(AttributeError, match="bias"):
        m.get_parameter("second.bias")


def test_super_init_may_be_forgotten():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)
            self.register_buffer("mean", th.zeros(2))

        def forward(self, x):
            return self.layer(x)

    m = Forgetful()
    assert len(list(m.parameters())) == 2
    assert m.training
    assert m(th.zeros(1, 2)).shape == (1, 2)
    assert list(Forgetful().state_dict()) == ["mean", "layer.weight", "layer.bias"]
    assert nn.Module()._buffer_names == {}


def test_shared_modules_and_parameters_are_listed_once_and_saved_under_each_name():
    m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    m[1].weight = m[0].weight
    assert [n for n, _ in m.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(m.named_parameters(remove_duplicate=False))) == 4
    assert list(m.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    layer = nn.Linear(2, 2)
    twice = nn.Sequential(layer, layer)
    assert list(twice.children()) == [layer]
    assert len(list(twice)) == 2
    assert list(twice.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_assignments_that_would_lose_a_parameter_are_refused():
    m = net()
    with pytest.raises(TypeError, match=r"Tensor to Linear\.weight, which is a Parameter"):
        m.first.weight = m.first.weight - 1
    with pytest.raises(TypeError, match=r"float to Net\.first"):
        m.first = 1.0
    with pytest.raises(TypeError, match=r"list to Net\.steps"):
        m.steps = [1]
    m.steps = th.ones(1)
    assert m.get_buffer("steps") is m.steps
    m.first.bias = None
    assert [n for n, _ in m.first.named_parameters()] == ["weight"]
    m.first.bias = nn.Parameter(th.zeros(4))
    assert [n for n, _ in m.first.named_parameters()] == ["weight", "bias"]
    del m.second
    assert [n for n, _ in m.named_children()] == ["first", "act"]


@pytest.mark.parametrize("name", ["", "a.b"])
def test_names_are_checked(name):
    m = nn.Module()
    with pytest.raises(KeyError):
        m.add_module(name, nn.ReLU())
    with pytest.raises(KeyError, match="already"):
        m.register_buffer("forward", th.zeros(1))
    with pytest.raises(TypeError):
        m.register_parameter("p", th.zeros(1))
    with pytest.raises(TypeError):
        m.register_buffer("b", np.zeros(1))


def test_a_parameter_never_shares_a_users_array():
    mine = np.ones(3, np.float32)
    p = nn.Parameter(mine)
    with th.no_grad():
        p += 1
    assert (mine == 1).all()
    assert repr(p) == "Parameter containing:\ntensor([2., 2., 2.], requires_grad=True)"
    shared = th.zeros(2)
    assert nn.Parameter(shared).array is shared.array
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(RuntimeError, match="floating"):
        nn.Parameter(th.tensor([1, 2]))


# --------------------------------------------------------------------------- saved and loaded


def test_state_dict_shares_memory_and_has_no_gradient():
    m = net()
    state = m.state_dict()
    assert list(state) == ["steps", "first.weight", "first.bias", "second.weight"]
    assert np.shares_memory(state["first.weight"].array, m.first.weight.array)
    assert not any(t.requires_grad for t in state.values())
    assert m.state_dict(keep_vars=True)["first.bias"] is m.first.bias
    assert list(m.first.state_dict(prefix="f.")) == ["f.weight", "f.bias"]


def test_load_state_dict_copies_and_returns_nothing_missing():
    source, target = net(0), net(1)
    arrays = {k: v.array.astype(np.float64) for k, v in source.state_dict().items()}
    result = target.load_state_dict(arrays)
    assert result == ([], [])
    for name, t in target.state_dict().items():
        np.testing.assert_array_equal(t.array, source.state_dict()[name].array)
        assert t.dtype == th.float32
        assert not np.shares_memory(t.array, arrays[name])


def test_load_state_dict_names_every_fault_and_writes_nothing():
    m = net()
    before = {k: v.clone() for k, v in m.state_dict().items()}
    wrong = {k: np.zeros(v.shape) for k, v in before.items() if k != "first.bias"}
    wrong["second.weight"] = np.zeros((7, 9))
    wrong["extra"] = np.zeros(1)
    with pytest.raises(RuntimeError) as caught:
        m.load_state_dict(wrong)
    message = str(caught.value)
    for part in ["missing keys: first.bias", "unexpected keys: extra", "(7, 9)", "(2, 4)"]:
        assert part in message
    for name, t in m.state_dict().items():
        np.testing.assert_array_equal(t.array, before[name].array)
    with pytest.raises(RuntimeError, match=r"second\.weight"):
        m.load_state_dict(wrong, strict=False)
    del wrong["second.weight"]
    result = m.load_state_dict(wrong, strict=False)
    assert result.missing_keys == ["first.bias", "second.weight"]
    assert result.unexpected_keys == ["extra"]
    assert (m.first.weight.array == 0).all()


def test_load_after_forward_makes_the_graph_stale():
    m = net()
    loss = m(th.randn(2, 3)).sum()
    m.load_state_dict(net(1).state_dict())
    with pytest.raises(RuntimeError, match="overwritten"):
        loss.backward()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_keep_ties(duplicate):
    m = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    m[2].weight = m[0].weight
    x = th.randn(3, 2)
    twin = duplicate(m)
    np.testing.assert_array_equal(twin(x).array, m(x).array)
    assert twin[2].weight is twin[0].weight
    assert isinstance(twin[0].weight, nn.Parameter)
    assert twin[0].weight.requires_grad
    nn.init.zeros_(twin[0].weight)
    assert not np.array_equal(twin(x).array, m(x).array)


# ------------------------------------------------------------------------------ changed whole


def test_train_eval_apply_requires_grad_and_zero_grad():
    m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)))
    assert m.eval() is m
    assert not any(x.training for x in m.modules())
    assert all(x.training for x in m.train().modules())
    order = []
    assert m.apply(lambda x: order.append(type(x).__name__)) is m
    assert order == ["Linear", "Linear", "Sequential", "Sequential"]
    m(th.randn(3, 2)).sum().backward()
    m.zero_grad(set_to_none=False)
    assert all((p.grad.array == 0).all() for p in m.parameters())
    m.zero_grad()
    assert all(p.grad is None for p in m.parameters())
    assert not any(p.requires_grad for p in m.requires_grad_(False).parameters())


def test_casts_keep_the_identity_of_parameters_and_leave_integers():
    m = net()
    m.register_buffer("count", th.zeros(1, dtype=th.int64))
    m(th.randn(2, 3)).sum().backward()
    weight = m.first.weight
    assert m.double() is m
    assert m.first.weight is weight
    assert {p.dtype for p in m.parameters()} == {th.float64}
    assert weight.grad.dtype == th.float64
    assert m.steps.dtype == th.float64
    assert m.count.dtype == th.int64
    assert m(th.randn(2, 3, dtype=th.float64)).dtype == th.float64
    assert m.to("cpu", th.float32).first.weight.dtype == th.float32
    assert m.to(device="cpu", dtype=th.float64).first.weight.dtype == th.float64
    assert m.float().first.weight.dtype == th.float32
    with pytest.raises(TypeError, match="int64"):
        m.to(th.int64)
    for refused in (lambda: m.to("cuda"), m.cuda, lambda: m.to(device=th.device("cuda:0"))):
        with pytest.raises(RuntimeError, match="cuda"):
            refused()
    assert m.cpu() is m.to(th.device("cpu")) is m.to("cpu", non_blocking=True)
    assert m.to(th.zeros(1, dtype=th.float64)).first.weight.dtype == th.float64
    assert m.type(th.float32).count.dtype == th.float32


# ------------------------------------------------------------------------------------- errors


def test_an_error_names_the_layer_and_the_shapes():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(5, 2))

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    with pytest.raises(RuntimeError) as caught:
        Deep()(th.randn(7, 3))
    message = str(caught.value)
    layer = "Deep.blocks.1: Linear(in_features=5, out_features=2, bias=True)"
    assert f"in {layer}" in message
    assert "given float32 (7, 4)" in message
    assert "(7, 4) and the weight (2, 5)" in message
    assert message.count(" in ") == 1 + message.split("\n")[0].count(" in ")


def test_errors_with_messages_of_their_own_pass_unchanged():
    class Odd(nn.Module):
        def forward(self, error):
            raise error

    for error in [KeyError("k"), OSError(2, "no"), ValueError(), ValueError(1, 2), ValueError(3)]:
        before = error.args
        with pytest.raises(type(error)) as caught:
            Odd()(error)
        assert caught.value.args == before


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="define forward"):
        nn.Module()(1)


@pytest.mark.parametrize(
    ("x", "w", "b", "expected"),
    [
        ((64, 28, 28), (10, 784), None, "Flatten"),
        ((3, 2), (5, 3), None, "swapped"),
        ((4, 6), (5, 3), None, "in_features=3"),
        ((4, 3), (5, 3), (4,), "bias must have shape (5,), not (4,)"),
        ((), (5, 3), None, "no axis"),
    ],
)
def test_linear_explains_a_misfit(x, w, b, expected):
    with pytest.raises(RuntimeError, match=re.escape(expected)) as caught:
        F.linear(th.randn(*x), th.randn(*w), None if b is None else th.randn(*b))
    assert str(x) in str(caught.value)
    assert str(w) in str(caught.value)


# -------------------------------------------------------------------------------------- repr


def test_repr_is_nested_as_pytorchs():
    m = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 3, bias=False), nn.Softmax(dim=1)))
    assert repr(m) == (
        "Sequential(\n"
        "  (0): Flatten(start_dim=1, end_dim=-1)\n"
        "  (1): Sequential(\n"
        "    (0): Linear(in_features=4, out_features=3, bias=False)\n"
        "    (1): Softmax(dim=1)\n"
        "  )\n"
        ")"
    )


def test_repr_equals_pytorchs():
    torch = pytest.importorskip("torch")

    def build(nn):
        class Extra(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(2, 2)

            def extra_repr(self):
                return "a=1\nb=2"

        parts = [nn.ReLU(), nn.ReLU(inplace=True), nn.Tanh(), nn.Sigmoid(), nn.LogSoftmax(dim=-1)]
        losses = [nn.CrossEntropyLoss(label_smoothing=0.1), nn.NLLLoss(), nn.MSELoss()]
        return nn.Sequential(*parts, *losses, Extra(), nn.Sequential(), nn.Flatten(0, 1))

    assert repr(build(nn)) == repr(build(torch.nn))


# -------------------------------------------------------------------------------- containers


def test_sequential_is_a_list_of_modules():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    m = nn.Sequential(a, b, c)
    x = th.randn(4, 2)
    np.testing.assert_array_equal(m(x).array, c(b(a(x))).array)
    assert len(m) == 3
    assert m[-1] is c
    assert list(m[:2]) == [a, b]
    assert type(m[:2]) is nn.Sequential
    with pytest.raises(IndexError, match="3"):
        m[3]
    assert m.append(nn.Tanh()) is m
    m[1] = nn.Sigmoid()
    assert [type(x).__name__ for x in m] == ["Linear", "Sigmoid", "Linear", "Tanh"]
    del m[0]
    assert [n for n, _ in m.named_children()] == ["0", "1", "2"]
    assert m[1] is c
    named = nn.Sequential({"in": a, "out": c})
    assert list(named.state_dict()) == ["in.weight", "in.bias", "out.weight", "out.bias"]
    assert named[0] is a
    assert nn.Sequential()(x) is x


# ---------------------------------------------------------------------------- activations


ACTIVATIONS = {
    "ReLU": ((), lambda x: np.maximum(x, 0)),
    "Tanh": ((), np.tanh),
    "Sigmoid": ((), lambda x: 1 / (1 + np.exp(-x))),
    "Softmax": ((1,), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "LogSoftmax": ((1,), lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
    "Flatten": ((), lambda x: x.reshape(len(x), -1)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_gradients(name):
    rng = np.random.default_rng(3)
    args, formula = ACTIVATIONS[name]
    module = getattr(nn, name)(*args)
    x = th.tensor(rng.normal(size=(3, 4, 2)), requires_grad=True)
    y = module(x)
    np.testing.assert_allclose(y.detach().numpy(), formula(x.array), rtol=1e-12)
    g = rng.normal(size=y.shape)
    y.backward(th.tensor(g))
    for at in [(0, 0, 0), (1, 2, 1), (2, 3, 0)]:
        e = np.zeros(x.shape)
        e[at] = 1e-6
        slope = (g * (formula(x.array + e) - formula(x.array - e))).sum() / 2e-6
        np.testing.assert_allclose(x.grad.array[at], slope, rtol=1e-7, atol=1e-9)


def test_relu_in_place_records_and_refuses_as_pytorchs():
    x = th.tensor([-1.0, 2.0], requires_grad=True)
    y = x * 3
    assert F.relu(y, inplace=True) is y
    y.backward(th.tensor([5.0, 7.0]))
    np.testing.assert_array_equal(x.grad.array, [0, 21])
    with pytest.raises(RuntimeError, match="in place"):
        F.relu(x, inplace=True)
    plain = th.tensor([-1.0, 2.0])
    nn.ReLU(inplace=True)(plain)
    assert plain.tolist() == [0, 2]


def test_softmax_without_dim_warns_and_chooses_as_pytorch():
    with pytest.warns(UserWarning, match="dim=1"):
        y = nn.Softmax()(th.randn(2, 3))
    np.testing.assert_allclose(y.array.sum(1), 1, rtol=1e-6)
    with pytest.warns(UserWarning, match="dim=0"):
        F.log_softmax(th.randn(2, 3, 4))


def test_one_hot():
    y = F.one_hot(th.tensor([[0, 2], [1, 1]]))
    assert y.dtype == th.int64
    assert y.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert F.one_hot(th.tensor([], dtype=th.int64), 4).shape == (0, 4)
    for labels, classes in [([3], 3), ([-1], 3), ([], -1)]:
        with pytest.raises(RuntimeError, match="one_hot"):
            F.one_hot(th.tensor(labels, dtype=th.int64), classes)
    with pytest.raises(RuntimeError, match="float32"):
        F.one_hot(th.tensor([1.0]))


# -------------------------------------------------------------------------------------- init


def spread(values, kind):
    """The bound of a uniform sample, or the standard deviation of a normal one."""
    return np.abs(values).max() if kind == "uniform" else values.std()


@pytest.mark.parametrize("dtype", [th.float32, th.float64])
@pytest.mark.parametrize(
    ("call", "kind", "size"),
    [
        (lambda t, g: nn.init.uniform_(t, -3, 3, generator=g), "uniform", 3),
        (lambda t, g: nn.init.normal_(t, 0, 2, generator=g), "normal", 2),
        (lambda t, g: nn.init.xavier_uniform_(t, 2, g), "uniform", 2 * np.sqrt(6 / 500)),
        (lambda t, g: nn.init.xavier_normal_(t, 2, g), "normal", 2 * np.sqrt(2 / 500)),
        (lambda t, g: nn.init.kaiming_uniform_(t, generator=g), "uniform", np.sqrt(6 / 300)),
        (
            lambda t, g: nn.init.kaiming_normal_(t, 0, "fan_out", "relu", g),
            "normal",
            np.sqrt(2 / 200),
        ),
        (
            lambda t, g: nn.init.kaiming_uniform_(t, 5**0.5, generator=g),
            "uniform",
            1 / np.sqrt(300),
        ),
    ],
)
def test_random_initial_values(call, kind, size, dtype):
    t = nn.Parameter(th.zeros(200, 300, dtype=dtype))
    assert call(t, th.Generator().manual_seed(1)) is t
    first = t.array.copy()
    assert t.dtype == dtype
    np.testing.assert_allclose(spread(first, kind), size, rtol=0.02)
    assert abs(first.mean()) < 0.02 * size
    call(t, th.Generator().manual_seed(1))
    np.testing.assert_array_equal(t.array, first)
    call(t, th.Generator().manual_seed(2))
    assert not np.array_equal(t.array, first)


def test_constant_initial_values_gains_and_refusals():
    p = nn.Parameter(th.randn(2, 3))
    assert (nn.init.zeros_(p).array == 0).all()
    assert (nn.init.ones_(p).array == 1).all()
    assert (nn.init.constant_(p, 5).array == 5).all()
    assert nn.init.calculate_gain("relu") == 2**0.5
    assert nn.init.calculate_gain("tanh") == 5 / 3
    assert nn.init.calculate_gain("leaky_relu", 0.2) == pytest.approx((2 / 1.04) ** 0.5)
    with pytest.raises(ValueError, match="nope"):
        nn.init.calculate_gain("nope")
    with pytest.raises(ValueError, match="3"):
        nn.init.xavier_uniform_(th.zeros(3))
    with pytest.raises(ValueError, match="fan_side"):
        nn.init.kaiming_normal_(p, mode="fan_side")


def test_linear_starts_uniform_on_one_over_root_in_and_is_repeatable():
    th.manual_seed(5)
    layer = nn.Linear(400, 300)
    for p in (layer.weight, layer.bias):
        assert 0.98 / 20 < np.abs(p.array).max() <= 1 / 20
        assert abs(p.array.mean()) < 0.1 / 20
    th.manual_seed(5)
    np.testing.assert_array_equal(nn.Linear(400, 300).weight.array, layer.weight.array)
    assert nn.Linear(3, 2, dtype=th.float64).weight.dtype == th.float64
    assert nn.Linear(0, 2)(th.zeros(1, 0)).shape == (1, 2)


# ------------------------------------------------------------------------------------- hooks


def test_forward_hooks_replace_arguments_and_output_and_can_be_removed():
    m, calls = nn.Linear(2, 2), []
    x = th.randn(3, 2)
    plain = m(x).array
    h1 = m.register_forward_pre_hook(lambda mod, args: calls.append("pre") or (args[0] * 2,))
    h2 = m.register_forward_hook(lambda mod, args, out: calls.append(args[0].shape) or out - 1)
    h3 = m.register_forward_pre_hook(lambda mod, args: calls.append("first"), prepend=True)
    y = m(x)
    np.testing.assert_allclose(y.array, F.linear(x * 2, m.weight, m.bias).array - 1, rtol=1e-6)
    assert calls == ["first", "pre", (3, 2)]
    for h in (h1, h2, h3):
        h.remove()
    np.testing.assert_array_equal(m(x).array, plain)


def test_hooks_with_kwargs_and_always_call():
    class Scale(nn.Module):
        def forward(self, x, *, by=1.0):
            if by < 0:
                raise ValueError("negative")
            return x * by

    m, seen = Scale(), []
    m.register_forward_pre_hook(
        lambda mod, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
    )
    m.register_forward_hook(
        lambda mod, args, kwargs, out: seen.append((kwargs["by"], out)),
        with_kwargs=True,
        always_call=True,
    )
    assert m(th.tensor(2.0), by=2.0).item() == 6
    with pytest.raises(ValueError, match="negative"):
        m(th.tensor(2.0), by=-5.0)
    assert [by for by, _ in seen] == [3, -4]
    assert seen[1][1] is None


class Pair(nn.Module):
    """Two tensors in, one number between them, two tensors out."""

    def forward(self, a, scale, b):
        return a * b.sum() * scale, b * 2


def run_pair(library, module, change=None):
    """Gradients that a backward hook sees and that the leaves get, in either library."""
    seen = []

    def hook(mod, grad_input, grad_output):
        seen.append((grad_input, grad_output))
        return change(grad_input) if change else None

    module.register_full_backward_hook(hook)
    a = library.tensor([1.0, 2.0], requires_grad=True)
    b = library.tensor([[3.0], [5.0]], requires_grad=True)
    y, z = module(a * 1, 2.0, b * 1)
    v, w = library.tensor([0.5, -1.5]), library.tensor([[2.0], [7.0]])
    ((y * v).sum() + (z * w).sum()).backward()
    (grad_input, grad_output) = seen[0]
    assert len(seen) == 1
    values = [*grad_input, *grad_output, a.grad, b.grad]
    return [None if v is None else v.tolist() for v in values]


@pytest.mark.parametrize(
    "change", [None, lambda g: (g[0] * 3, None, g[2] + 1)], ids=["seen", "replaced"]
)
def test_full_backward_hooks_as_pytorchs(change):
    torch = pytest.importorskip("torch")
    theirs = type("Pair", (torch.nn.Module,), {"forward": Pair.forward})()
    assert run_pair(th, Pair(), change) == run_pair(torch, theirs, change)


def test_full_backward_hook_values():
    values = run_pair(th, Pair(), lambda g: (g[0] * 3, None, g[2] + 1))
    assert values[:3] == [[8.0, -24.0], None, [[-1.0], [9.0]]]
    assert values[3:5] == [[0.5, -1.5], [[2.0], [7.0]]]
    assert values[5:] == [[24.0, -72.0], [[0.0], [10.0]]]


def test_a_backward_hook_sees_what_the_one_before_it_returned():
    module, seen = nn.Tanh(), []
    module.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,))
    module.register_full_backward_hook(lambda mod, gi, go: seen.append(gi[0].tolist()))
    x = th.zeros(2, requires_grad=True)
    module(x).backward(th.tensor([1.0, 2.0]))
    assert seen == [[10, 20]]
    assert x.grad.tolist() == [10, 20]


def test_backward_hook_of_a_first_layer_sees_no_input_gradient():
    m, seen = nn.Linear(3, 2), []
    handle = m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi, go[0].shape)))
    m(th.randn(4, 3)).sum().backward()
    assert seen == [((None,), (4, 2))]
    assert m.weight.grad is not None
    with th.no_grad():
        m(th.randn(4, 3))
    handle.remove()
    m.register_full_backward_hook(lambda mod, gi, go: (th.zeros(4, 3),))
    with pytest.raises(RuntimeError, match="return None"):
        m(th.randn(4, 3)).sum().backward()


@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(0, 4), st.integers(1, 3))
def test_linear_is_its_formula_with_its_gradients(seed, inputs, rows, outputs):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(2, rows, inputs)), rng.normal(size=(outputs, inputs))
    b = rng.normal(size=outputs)
    leaves = [th.tensor(v, requires_grad=True) for v in (x, w, b)]
    y = F.linear(*leaves)
    g = rng.normal(size=y.shape)
    y.backward(th.tensor(g))
    by_hand = np.einsum("...i,oi->...o", x, w) + b
    np.testing.assert_allclose(y.array, by_hand, rtol=1e-10, atol=1e-12)
    expected = [
        np.einsum("...o,oi->...i", g, w),
        np.einsum("bno,bni->oi", g, x),
        g.sum((0, 1)),
    ]
    for leaf, e in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.grad.array, e, rtol=1e-10, atol=1e-12)

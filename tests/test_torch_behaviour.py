"""Short programs, refusals, factories and printing beside the installed PyTorch."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest
from parity import numpy, torch

import tinygrad_hw as th


def seen(x: Any) -> Any:
    """A result as plain data that both libraries can make."""
    if isinstance(x, (list, tuple)):
        return [seen(v) for v in x]
    if isinstance(x, (th.Tensor, torch.Tensor)):
        a = numpy(x)
        rounded = np.round(a.astype(float), 4).tolist() if a.dtype.kind == "f" else a.tolist()
        return str(a.dtype), a.shape, rounded, x.requires_grad
    return x


def outcome(L: Any, program: str) -> Any:
    """What a program leaves in R, or the type of what it raises."""
    names: dict[str, Any] = {"L": L, "np": np, "copy": copy, "pickle": pickle, "R": None}
    names["leaf"] = lambda *numbers: L.tensor(numbers, requires_grad=True)
    try:
        exec(program, names)
    except Exception as error:
        return type(error)
    return repr(seen(names["R"]))


def programs(text: str) -> list[str]:
    """One to a line, and on the indented lines below it."""
    return text.strip().replace("\n    ", " ").splitlines()


# Each line is one program: what it leaves in R is compared, or the exception it ends with.
PROGRAMS = programs("""
w = leaf(1., 2.); w += 1
w = leaf(1., 2.); w[0] = 1.
w = leaf(1., 2.); w.zero_()
w = leaf(1., 2.); w.view(2).add_(1)
w = leaf(1., 2.); w.data += 1; R = w
w = leaf(1., 2.); w.data = L.tensor([5., 6., 7.]); R = w
w = leaf(1., 2.); (w * w).sum().backward(); w.grad.zero_(); (w * 3).sum().backward(); R = w.grad
w = leaf(1., 2.); (w * w).sum().backward(); w.grad = None; w.sum().backward(); R = w.grad
w = leaf(1., 2.); w.grad = L.ones(2); (w * w).sum().backward(); R = w.grad
w = leaf(1., 2.); y = w * w; y.sum().backward(); y.sum().backward()
w = leaf(1., 2.); y = (w * w).sum(); y.backward(retain_graph=True); y.backward(); R = w.grad
w = leaf(1., 2.); (w * w).backward()
w = leaf(1., 2.); (w * w).backward(L.ones(3))
w = leaf(1., 2.); (w * w).backward(L.tensor([1., -3.], dtype=L.float64)); R = w.grad
w = leaf(1., 2.); (w * w).sum().backward(L.tensor(2.)); R = w.grad
w = leaf(1., 2.); y = w * 2; y += 1; y *= y; y.sum().backward(); R = w.grad
w = leaf(1., 2.); y = w.exp(); y += 1; y.sum().backward()
w = leaf(1., 2.); y = w.exp(); z = y * 1; z += 1; z.sum().backward(); R = w.grad
w = leaf(1., 2.); y = w * w; w.detach().add_(1); y.sum().backward()
w = leaf(1., 2.); x = L.ones(2); y = w * x; x[0] = 5; y.sum().backward()
w = leaf(1., 2.); x = L.ones(2); v = x[0:1]; y = w * x; v += 5; y.sum().backward()
w = leaf(1., 2.); y = w.tanh(); y.detach().zero_(); y.sum().backward()
w = leaf(1., 2.); i = L.tensor([0, 0]); y = w[i]; i += 1; y.sum().backward()
w = leaf(1., 2.); m = w > 1; y = w[m]; m[0] = True; y.sum().backward()
w = leaf(1., 2.); x = L.zeros(2, 2); x[0] = w * 2; x[1, 1] = w[0]; (x * x).sum().backward();
    R = w.grad, x
w = leaf(1., 2.); y = w * 2; y[0] = 0; (y * y).sum().backward(); R = w.grad
w = leaf(1., 2.); y = w * 2; y[y > 3] = 0; (y * y).sum().backward(); R = w.grad
w = leaf(1., 2.); y = w * 2; y.copy_(w); y.zero_(); y.add_(w, alpha=3); y.sum().backward();
    R = w.grad
w = leaf(1., 2.); y = L.zeros(2); y.fill_(w[0]); y.sum().backward(); R = w.grad
w = leaf(1., 2.); s = L.zeros(()); s = s + w[0]; s += w[1] * w[0]; s.backward(); R = w.grad
w = leaf(1., 2.); loss = sum((w * k).sum() for k in range(3)); loss.backward(); R = w.grad
w = leaf(1., 2.); c = L.no_grad(); c.__enter__(); w -= 0.5; R = (w * 2).requires_grad, w;
    c.__exit__(None, None, None)
w = leaf(1., 2.); y = w.to(L.float64); (y * y).sum().backward(); R = w.grad
w = leaf(1., 2.); d = L.tensor(3., dtype=L.float64, requires_grad=True); y = w * d;
    y.sum().backward(); R = y, w.grad, d.grad
x = L.ones(2); x += L.ones(2, 2)
x = L.ones(2, 2); x += L.arange(2); R = x
x = L.arange(3); x += 1; x *= 2; x -= 4; R = x
x = L.arange(3); x += 1.5
x = L.arange(3); x /= 2
x = L.ones(2); x += L.ones(2, dtype=L.float64); R = x
x = L.arange(3.); y = x; x += 1; R = y
x = L.zeros(3); x[L.tensor([0, 2])] = L.tensor([1., 2.]); x[[True, False, True]] += 5; R = x
x = L.zeros(3); x[5] = 1
x = L.zeros(3); x[:] = L.ones(2)
x = L.zeros(3); x[0] = 'a'
x = L.zeros(3); x[0] = None
x = L.zeros(3, dtype=L.int64); x[:2] = L.tensor([1.7, -2.2]); R = x
x = L.zeros(2, 3); x[:, 1] = 1; x[0] = 2; x[..., -1] = 3; R = x
x = L.zeros(2, 3); x.copy_(L.arange(3)); R = x
x = L.zeros(3); x.copy_(L.ones(2))
x = L.zeros(3).add_(1).mul_(2).sub_(L.ones(3)).div_(4); R = x
x = L.tensor(2.); y = x.sum(); y += 1; R = x
x = L.tensor(2.); y = x.max(); z = x.softmax(0); y += 1; z += 1; R = x
a = np.arange(3.); x = L.from_numpy(a); x += 1; R = a.tolist()
a = np.arange(3.); x = L.as_tensor(a); a += 1; R = x
a = np.arange(3.); x = L.tensor(a); a += 1; R = x
x = L.arange(3.); a = x.numpy(); a += 1; np.asarray(x)[0] = 9; R = x
x = leaf(1.); np.asarray(x)
x = leaf(1.); x.numpy()
x = leaf(1., 2.); y = x[0]; y.retain_grad(); (y * 3).backward(); R = y.grad, x.grad
x = L.ones(2); x.retain_grad()
x = L.ones(2); x.register_hook(print)
x = leaf(1., 2.); h = x.register_hook(lambda g: g * 2); (x * 3).sum().backward(); h.remove();
    x.sum().backward(); R = x.grad
x = leaf(1., 2.); y = x * 1; y.register_hook(lambda g: g * 2); y.register_hook(lambda g: g + 1);
    (y * 3).sum().backward(); R = x.grad
x = leaf(1., 2.); y = x * 1; y.register_hook(lambda g: g * 2); y.retain_grad();
    (y * 3).sum().backward(); R = x.grad, y.grad
x = leaf(1., 2.); z = leaf(1.); L.autograd.grad((x * x).sum(), [x, z])
x = leaf(1., 2.); z = leaf(1.); R = L.autograd.grad((x * x).sum(), [x, z], allow_unused=True)
x = leaf(1., 2.); z = leaf(1.);
    R = L.autograd.grad((x * x).sum(), [z, x, x], materialize_grads=True)
x = leaf(1., 2.); L.autograd.grad(x * x, x)
x = leaf(1., 2.); R = L.autograd.grad([x * x, x], x, [L.tensor([2., 3.]), L.tensor([1., 5.])])
x = leaf(1., 2.); L.autograd.grad([x * x, x], x, [L.ones(2)])
x = leaf(1., 2.); y = x * x; R = L.autograd.grad(y.sum(), [x, y])
x = leaf(1.); R = L.autograd.grad(x, x)
x = leaf(1., 2.); z = L.ones(2); L.autograd.grad((x * z).sum(), z)
x = leaf(1., 2.); (g,) = L.autograd.grad((x ** 3).sum(), x, create_graph=True);
    R = g.requires_grad, L.autograd.grad(g.sum(), x)
x = leaf(1., 2.); y = x * x; y.sum().backward(inputs=[y]); R = x.grad, y.grad
x = leaf(1., 2.); x.sum().backward(inputs=[])
x = leaf(1., 2.); L.autograd.backward([x.sum(), (x * x).sum()]); R = x.grad
x = leaf(1., 2.); (x * x).backward(1.)
x = L.ones(2); x.sum().backward()
x = leaf(1., 2.); y = x * 2; y.requires_grad = False
x = L.arange(3); x.requires_grad = True
x = leaf(1., 2.); R = copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.detach(), x.clone(), x.data
x = leaf(1., 2.); copy.deepcopy(x * 2)
x = L.arange(6.).reshape(2, 3).T; x.view(6)
x = L.arange(6.); x.reshape(4, -1)
x = L.arange(6.); x.reshape(-1, -1)
x = L.arange(6.); x.reshape(-2, 3)
x = L.arange(6.); x.view(2, 2)
x = L.ones(2, 3); x.expand(-1, 2, 3)
x = L.ones(2, 3); x.expand(4, 3)
x = L.ones(2, 3); x.expand(3)
x = L.ones(2, 3); x.permute(0, 3)
x = L.ones(2, 3); x.permute(0, 0)
x = L.ones(2, 3); x.permute(0)
x = L.ones(2, 3); x.transpose(0, 2)
x = L.ones(2, 3); x.unsqueeze(4)
x = L.ones(2, 3); x.squeeze(2)
x = L.ones(2, 3); x.flatten(1, 0)
x = L.ones(2, 3, 4); x.t()
x = L.ones(2, 3); x.sum(2)
x = L.ones(2, 3); x.sum((0, 0))
x = L.tensor(1.); x.sum(1)
x = L.tensor(1.); x.max(1)
x = L.ones(2, 3); x.max((0, 1))
x = L.ones(2, 3); x.softmax((0, 1))
x = L.ones(2, 3); x.softmax(2)
x = L.ones(0, 3); x.softmax(2)
x = L.ones(0, 3); x.max()
x = L.ones(0, 3); x.max(0)
x = L.ones(0, 3); x.argmin(0)
x = L.ones(0, 3); R = x.amax(1), x.argmax(1), x.sum(0), x.mean(1), x.softmax(1), x @ L.ones(3, 2)
x = L.ones(2, 3); x.clamp()
x = L.arange(3); x.mean()
L.ones(2, 3) + L.ones(2)
L.ones(2, 3) @ L.ones(2, 3)
L.ones(3) @ L.tensor(1.)
L.ones(3) @ 2
L.ones(3) + 'a'
L.ones(3) * [1, 2, 3]
L.ones(3) + None
L.maximum(L.ones(2), L.ones(3))
L.cat([])
L.stack([])
L.cat([L.ones(2, 3), L.ones(2, 2)])
L.cat([L.ones(2), L.ones(2)], 1)
L.cat([L.tensor(1.), L.tensor(1.)])
L.stack([L.ones(2), L.ones(3)])
L.ones(3)[3]
L.ones(3)[0, 0]
L.ones(3)[1.0]
L.ones(3)[L.tensor([0.5])]
L.ones(2, 3)[L.tensor([True, False, True])]
L.ones(3)[L.tensor([3])]
L.tensor(1.)[0]
len(L.tensor(1.))
list(L.tensor(1.))
L.ones(2).item()
bool(L.ones(2))
bool(L.zeros(0))
float(L.ones(2))
int(L.ones(2))
[1, 2, 3][L.tensor(1.)]
f"{L.ones(2):.2f}"
R = f"{L.tensor(2.5)} {L.tensor(2):03d} {L.tensor(2.5):.2f}", [5, 6, 7][L.tensor(1)]
x = L.tensor([[1., 2.]]);
    R = len(x), x.tolist(), [v.tolist() for v in x], 2. in x, 3. in x
x = L.ones(1, 2); R = x.ndim, x.dim(), x.numel(), x.size(-1), x.shape == (1, 2)
x = L.tensor([2.5]);
    R = float(x), int(x), x.item(), bool(x), L.tensor(True).item(), L.tensor(3).item()
""")


# ------------------------------------------------------------------------------------- factories

FACTORIES = programs("""
L.zeros(2, 3)
L.zeros((2, 3), dtype=L.int64)
L.zeros([2], dtype=L.bool)
L.zeros(())
L.zeros(2, 0)
L.zeros(-1)
L.zeros(2.5)
L.ones(2, requires_grad=True)
L.ones(2, dtype=L.int64, requires_grad=True)
L.ones(L.zeros(2, 3).shape)
L.full((2,), 3), L.full((2,), 2.5), L.full((), True), L.full([2], 3, dtype=L.float64)
L.full((2.5,), 3)
L.arange(5), L.arange(2, 5), L.arange(0, 1, 0.25), L.arange(5, 0, -2), L.arange(3.0)
L.arange(3, dtype=L.float64), L.arange(0, 5, 2, dtype=L.int32), L.arange(0)
L.arange(5, 2)
L.arange(0, 3, 0)
L.linspace(0, 1, 5), L.linspace(1, -2.5, 4, dtype=L.float64), L.linspace(0, 1, 1)
L.eye(3), L.eye(2, 3), L.eye(3, 2, dtype=L.int64), L.eye(0)
L.zeros_like(L.arange(3)), L.ones_like(L.arange(3), dtype=L.float64), L.full_like(L.ones(2), 3)
L.full_like(L.arange(2), 3.7), L.zeros_like(L.ones(2, requires_grad=True))
L.tensor(1), L.tensor(1.5), L.tensor(True), L.tensor([1, 2.5]), L.tensor([[True, 2]]), L.tensor([])
L.tensor((1, 2)), L.tensor([(1., 2.), (3., 4.)]), L.tensor(range(3)), L.tensor([[], []])
L.tensor(1, dtype=L.float64), L.tensor([0, 2], dtype=L.bool), L.tensor([1.7, -2.2], dtype=L.int64)
L.tensor(np.float64(2.5)), L.tensor(np.float32(2.5)), L.tensor([np.float64(2.5)]),
    L.tensor(np.int32(2))
L.tensor(np.ones(2)), L.tensor(np.ones(2, np.float32)), L.tensor(np.arange(2, dtype=np.int16))
L.tensor([np.array([1., 2.])]), L.as_tensor([1., 2.]), L.as_tensor(np.ones(2), dtype=L.float32)
L.tensor([1., 2.], requires_grad=True), L.tensor(L.ones(2)), L.as_tensor(L.ones(2), dtype=L.float64)
L.tensor([[1], [2, 3]])
L.tensor('a')
L.tensor([1, 2], requires_grad=True)
L.from_numpy([1])
L.from_numpy(np.arange(3, dtype=np.uint8))
L.rand(2, 3) * 0 + 0, L.randn((2, 3)) * 0 + 0, L.rand(2, dtype=L.float64) * 0 + 0
L.rand_like(L.ones(2, 3)) * 0 + 0
L.empty(2, 3).zero_(), L.empty_like(L.arange(3)) * 0, L.randint_like(L.ones(2), 3, 4)
L.randn_like(L.ones(2), dtype=L.float64) * 0 + 0, L.randn(2, requires_grad=True).requires_grad
L.randint(1, (2, 3)), L.randint(4, 5, (2,)), L.randint(3, 4, [2], dtype=L.int32)
L.randint(5, 5, (2,))
L.randperm(5).sum(), L.randperm(0), L.randperm(1, dtype=L.int32)
L.randperm(-1)
""")


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about copies
@pytest.mark.parametrize("program", PROGRAMS + [f"R = {call}" for call in FACTORIES])
def test_programs_end_alike(program: str) -> None:
    ours, theirs = outcome(th, program), outcome(torch, program)
    if isinstance(theirs, type):
        assert isinstance(ours, type), ours
        assert issubclass(ours, theirs)
    else:
        assert ours == theirs


# -------------------------------------------------------------------------------------- printing

rng = np.random.default_rng(0)
PRINTED = [
    *([1, 2, 3], [1.5, 2, 3], [], [[1, -20], [300, 4]], [True, False], 3, 2.5, True, [0.0, 0.0]),
    *([1e-5, 1], [1e5, 1], [1e9, 1], [1e8, 1], [1e-4, 0.5], [1, 1001.0], [1.5, 1001], [0.001, 1]),
    *([123456.0], [1234567.5], [1e-10], 1e10, 100000.0, [99999.0, 1], [1e38, 1], [1000000.0, 2]),
    *([np.nan, 1.5], [np.inf, -1.5], [np.nan, np.inf], np.nan, [10**12, 1], [-1.0, 10]),
    *(np.float64([1, 2]), np.float16([1.5]), np.uint8([1, 2]), np.int32([1]), np.int8([-1, 2])),
    *(np.zeros((0, 3), np.float32), np.zeros((2, 0), np.int64), np.zeros(0), np.zeros((1, 1, 1))),
    *(np.arange(30), np.arange(1000), np.arange(1001), np.arange(2000).reshape(40, 50)),
    *(np.arange(2000.0).reshape(40, 50), np.arange(2400).reshape(24, 10, 10), np.ones((600, 2))),
    *(rng.standard_normal(s).astype(np.float32) for s in [(2, 3), (2, 3, 4), (2, 2, 2, 2), (8, 7)]),
    *(rng.standard_normal(s).astype(np.float32) for s in [(40, 50), (20, 10, 10), (3, 20), (50,)]),
]


def printed(L: Any, data: Any) -> str:
    tensor = L.from_numpy(np.array(data)) if isinstance(data, np.ndarray) else L.tensor(data)
    return repr(tensor).replace("dtype=torch.", "dtype=")


@pytest.mark.parametrize("data", PRINTED, ids=lambda d: re.sub(r"\s+", " ", str(d))[:30])
def test_printing(data: Any) -> None:
    ours, theirs = printed(th, data), printed(torch, data)
    if max(map(len, theirs.splitlines())) > 70:  # only where PyTorch breaks its rows differs
        ours, theirs = " ".join(ours.split()), " ".join(theirs.split())
    assert ours == theirs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_printing_of_what_requires_grad(dtype: str) -> None:
    for f in (
        lambda x: x,
        lambda x: x * 2,
        lambda x: x.exp(),
        lambda x: x.sum(),
        lambda x: x.mean(),
    ):
        shown = [
            repr(f(L.tensor([1.0, 2.5], dtype=getattr(L, dtype), requires_grad=True)))
            for L in (th, torch)
        ]
        assert shown[0] == shown[1].replace("dtype=torch.", "dtype=")

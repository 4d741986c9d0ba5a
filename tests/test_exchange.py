"""State dicts to PyTorch and back, through safetensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from parity import torch

import tinygrad_hw as th

safetensors_torch = pytest.importorskip("safetensors.torch")


def network(L: Any) -> Any:
    """Every kind of layer that has a state, in every kind of container."""
    nn = L.nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(7, 4, padding_idx=0)
            self.body = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout())
            self.lazy = nn.LazyLinear(5)
            self.towers = nn.ModuleList([nn.Linear(5, 5, bias=False), nn.LayerNorm(5)])
            self.heads = nn.ModuleDict({"mean": nn.Linear(5, 2), "norm": nn.LayerNorm([5, 2])})
            self.plain = nn.BatchNorm1d(2, affine=False, momentum=None)
            self.scale = nn.Parameter(L.tensor(1.5))
            self.register_buffer("steps", L.tensor([3, 4]))
            self.register_buffer("mask", L.tensor([True, False]))
            self.register_buffer("scratch", L.zeros(2), persistent=False)

        def forward(self, tokens: Any) -> Any:
            h = self.lazy(self.body(self.embed(tokens)))
            for layer in self.towers:
                h = layer(h) + h
            square = h.unsqueeze(2) * L.ones(2)
            out = self.plain(self.heads["mean"](h)) * self.scale
            return out + self.heads["norm"](square).sum(1) + self.steps * self.mask

    return Net()


def worked(L: Any, net: Any, seed: int) -> Any:
    """Its outputs in training, which moves the buffers, and in evaluation."""
    tokens = L.from_numpy(np.random.default_rng(seed).integers(0, 7, 9))
    net.body[3].p = 0.0
    net.train()
    trained = net(tokens)
    net.eval()
    return trained, net(tokens)


def close(a: Any, b: Any) -> None:
    a, b = a.detach().numpy(), b.detach().numpy()
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def same_state(ours: Any, theirs: Any) -> None:
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        a, b = tensor.numpy(), theirs[name].numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape), name
        np.testing.assert_array_equal(a, b, name)


def test_ours_in_pytorch(tmp_path: Any) -> None:
    path = tmp_path / "x.safetensors"
    ours, theirs = network(th), network(torch)
    worked(th, ours, 0)
    worked(torch, theirs, 1)
    th.save(ours.state_dict(), path)
    state = safetensors_torch.load_file(path)
    theirs.load_state_dict(state, strict=True)
    same_state(ours.state_dict(), theirs.state_dict())
    for a, b in zip(worked(th, ours, 2), worked(torch, theirs, 2), strict=True):
        close(a, b)


def test_pytorchs_in_ours(tmp_path: Any) -> None:
    path = tmp_path / "x.safetensors"
    ours, theirs = network(th), network(torch)
    worked(torch, theirs, 1)
    safetensors_torch.save_file(theirs.state_dict(), path)
    state = th.load(path)  # into layers that have not seen their first input
    ours.load_state_dict(state, strict=True)
    same_state(ours.state_dict(), theirs.state_dict())
    for a, b in zip(worked(th, ours, 2), worked(torch, theirs, 2), strict=True):
        close(a, b)


def test_there_and_back_is_the_same_file(tmp_path: Any) -> None:
    ours = network(th)
    worked(th, ours, 0)
    th.save(ours.state_dict(), tmp_path / "1.safetensors")
    state = safetensors_torch.load_file(tmp_path / "1.safetensors")
    safetensors_torch.save_file(state, tmp_path / "2.safetensors")
    returned = th.load(tmp_path / "2.safetensors")
    same_state(dict(sorted(returned.items())), dict(sorted(ours.state_dict().items())))


def tied(L: Any) -> Any:
    net = L.nn.Sequential(L.nn.Embedding(5, 3), L.nn.Linear(3, 5, bias=False))
    net[1].weight = net[0].weight
    return net


def test_tied_weights(tmp_path: Any) -> None:
    ours, theirs = tied(th), tied(torch)
    th.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs.load_state_dict(safetensors_torch.load_file(tmp_path / "ours.safetensors"))
    assert theirs[0].weight is theirs[1].weight
    same_state(ours.state_dict(), theirs.state_dict())
    other = tied(th)
    safetensors_torch.save_model(theirs, tmp_path / "theirs.safetensors")  # under one name only
    missing = other.load_state_dict(th.load(tmp_path / "theirs.safetensors"), strict=False)
    assert len(missing.missing_keys) == 1
    assert other[0].weight is other[1].weight
    same_state(other.state_dict(), theirs.state_dict())


LAYOUTS = {
    "transposed": lambda x: x.t() if x.ndim == 2 else x,
    "strided": lambda x: x[::2],
    "column": lambda x: x[..., -1],
    "expanded": lambda x: x.expand(2, *x.shape),
    "fortran": lambda x: (th.from_numpy(np.asfortranarray(x.numpy()))),
    "reversed": lambda x: th.from_numpy(x.numpy()[::-1]),
}
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0))
)


@given(array=ARRAYS)
def test_every_dtype_in_every_layout(tmp_path_factory: Any, array: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("exchange") / "x.safetensors"
    x = th.from_numpy(array)
    state = {"plain": x, "0-d": x.sum()}
    state |= {name: view(x) for name, view in LAYOUTS.items() if array.shape[-1]}
    th.save(state, path)
    theirs = safetensors_torch.load_file(path)
    assert set(theirs) == set(state)
    for name, tensor in state.items():
        expected = tensor.detach().numpy()
        assert theirs[name].numpy().dtype == expected.dtype
        assert tuple(theirs[name].shape) == tensor.shape
        np.testing.assert_array_equal(theirs[name].numpy(), expected, name)
    safetensors_torch.save_file(theirs, path)
    for name, tensor in th.load(path).items():
        np.testing.assert_array_equal(tensor.numpy(), state[name].numpy(), name)


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_run_goes_on_in_the_other_library(tmp_path: Any, name: str, options: Any) -> None:
    """Ours takes three steps, PyTorch takes over model and optimizer, and ours takes over again:
    as if PyTorch had taken them all. Tensors travel in the file, the rest as it is."""
    options = options if name == "SGD" else {}
    x = np.random.default_rng(0).standard_normal((8, 3))

    def started(L: Any) -> Any:
        model = L.nn.Linear(3, 2, dtype=L.float64)
        return model, getattr(L.optim, name)(model.parameters(), lr=0.05, **options)

    def steps(L: Any, model: Any, optimizer: Any) -> None:
        for _ in range(3):
            optimizer.zero_grad()
            model(L.from_numpy(x)).square().mean().backward()
            optimizer.step()

    def handed(run: Any, other: Any, save: Any, load: Any) -> None:
        path = tmp_path / "run.safetensors"
        state = run[1].state_dict()
        tensors = {f"model.{k}": v for k, v in run[0].state_dict().items()}
        for i, values in state["state"].items():
            tensors |= {f"{i}.{k}": v for k, v in values.items() if v is not None}
        save(tensors, path)
        found = load(path)
        other[0].load_state_dict({k[6:]: v for k, v in found.items() if k.startswith("model.")})
        for i, values in state["state"].items():
            state["state"][i] = {k: found.get(f"{i}.{k}") for k in values}
        other[1].load_state_dict(state)

    whole = started(torch)
    ours, theirs, again = started(th), started(torch), started(th)
    with th.no_grad():
        for p, q in zip(ours[0].parameters(), whole[0].parameters(), strict=True):
            p.copy_(th.from_numpy(q.detach().numpy()))
    steps(th, *ours)
    handed(ours, theirs, th.save, safetensors_torch.load_file)
    steps(torch, *theirs)
    handed(theirs, again, safetensors_torch.save_file, th.load)
    steps(th, *again)
    for _ in range(3):
        steps(torch, *whole)
    for p, q in zip(again[0].parameters(), whole[0].parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10)

"""`save` and `load` as scripts written for PyTorch call them."""

import io
import pickle

import numpy as np
import pytest
from parity import torch

import tinygrad_hw as th
from tinygrad_hw import nn


def told(value):
    """A loaded value, tensors by type, dtype, content and whether they require grad."""
    if isinstance(value, dict):
        return type(value), [(k, told(v)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [told(v) for v in value]
    if hasattr(value, "requires_grad"):
        kind, dtype = type(value).__name__, str(value.dtype).removeprefix("torch.")
        numbers = np.round(np.asarray(value.tolist(), float), 4).tolist()
        return kind, dtype, numbers, value.requires_grad, value.grad_fn, value.is_leaf
    return str(value).removeprefix("torch.")


def trained(L):
    """A model and its optimizer after one step, with the same numbers in both libraries."""
    model = L.nn.Sequential(L.nn.Linear(2, 3), L.nn.ReLU(), L.nn.Linear(3, 1))
    with L.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(L.arange(p.numel()).reshape(p.shape) / 8 + i)
    optimizer = L.optim.Adam(model.parameters(), lr=0.5)
    model(L.ones(4, 2)).square().mean().backward()
    optimizer.step()
    return model, optimizer


def checkpoint(L):
    model, optimizer = trained(L)
    loss = (L.arange(3.0).requires_grad_() * 2).sum()
    return {
        "epoch": 5,
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": loss,
        "best": float("inf"),
        "shape": L.zeros(2, 3).shape,
        "dtype": L.float64,
        "device": L.device("cpu"),
        "leaves": [L.ones(1, requires_grad=True), L.nn.Parameter(L.ones(1)), L.tensor(True)],
        "frozen": L.nn.Parameter(L.arange(2), requires_grad=False),
        7: (L.zeros(0, 3), None, "text", [L.tensor(2.5), L.tensor(3)]),
    }


def destinations(folder):
    """Everything a script may save to, each with what it then loads from."""
    for name in ("model.pt", "model.pth", "model", "model.npz", "model.ckpt", "m.safetensors"):
        yield folder / name, folder / name
        yield str(folder / name), str(folder / name)


def test_a_checkpoint_comes_back_as_pytorch_gives_it_back(tmp_path):
    torch.save(checkpoint(torch), tmp_path / "theirs.pt")
    expected = told(torch.load(tmp_path / "theirs.pt"))
    for destination, source in destinations(tmp_path):
        th.save(checkpoint(th), destination)
        assert told(th.load(source)) == expected
    with open(tmp_path / "f.pt", "wb") as file:
        th.save(checkpoint(th), file)
    with open(tmp_path / "f.pt", "rb") as file:
        assert told(th.load(file)) == expected
    buffer = io.BytesIO()
    th.save(checkpoint(th), buffer)
    buffer.seek(0)
    assert told(th.load(buffer, map_location=th.device("cpu"), weights_only=False)) == expected


@pytest.mark.parametrize("name", ["model.pt", "m.safetensors"])
def test_the_usual_lines(tmp_path, name):
    path = str(tmp_path / name)
    predictions = []
    for L in (th, torch):
        model, optimizer = trained(L)
        if L is th:
            L.save(model.state_dict(), path)
            L.save(optimizer.state_dict(), tmp_path / "optimizer.pth")
        saved = model.state_dict(), optimizer.state_dict()
        model, optimizer = trained(L)
        state = L.load(path, weights_only=True, map_location="cpu") if L is th else saved[0]
        assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
        optimizer.load_state_dict(L.load(tmp_path / "optimizer.pth") if L is th else saved[1])
        model(L.ones(4, 2)).square().mean().backward()
        optimizer.step()
        model.eval()
        predictions.append(model(L.ones(1, 2)).item())
    assert predictions[0] == pytest.approx(predictions[1], rel=1e-6)


def test_one_tensor_and_a_list(tmp_path):
    path = tmp_path / "tensor.pt"
    for value in (th.arange(3), [th.ones(2), 3], th.nn.Parameter(th.ones(2)), 5, "text"):
        th.save(value, path)
        assert told(th.load(path)) == told(value)


def test_tied_weights(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(2, 2)
            self.decoder = nn.Linear(2, 2)
            self.decoder.weight = self.encoder.weight

    model, other = Tied(), Tied()
    th.save(model.state_dict(), tmp_path / "tied.safetensors")
    other.load_state_dict(th.load(tmp_path / "tied.safetensors"))
    assert other.decoder.weight is other.encoder.weight
    assert other.decoder.weight.tolist() == model.encoder.weight.tolist()


def test_map_location(tmp_path):
    path = tmp_path / "w.pt"
    th.save({"w": th.ones(2)}, path)
    asked = []
    for cpu in (
        *(None, "cpu", "cpu:0", th.device("cpu"), {"cuda:0": "cpu"}, {"cuda:1": "cuda:0"}),
        lambda storage, location: storage,
        lambda storage, location: asked.append(location),
    ):
        assert th.load(path, cpu)["w"].tolist() == [1, 1]
    assert asked == ["cpu"]
    for elsewhere in ("cuda", th.device("cuda:0"), {"cpu": "cuda:0"}, "mps"):
        with pytest.raises(RuntimeError, match=r"is_available"):
            th.load(path, map_location=elsewhere)


def test_files_that_are_open(tmp_path):
    with open(tmp_path / "w.safetensors", "wb") as file:  # whose name still says the layout
        th.save({"w": th.ones(2)}, file)
    assert (tmp_path / "w.safetensors").read_bytes()[8:9] == b"{"
    with open(tmp_path / "w.safetensors") as file, pytest.raises(TypeError, match="'rb' or 'wb'"):
        th.load(file)
    with open(tmp_path / "t", "w") as file, pytest.raises(TypeError, match="'rb' or 'wb'"):
        th.save({}, file)
    with pytest.raises(TypeError, match="not int"):
        th.load(3)
    buffer = io.BytesIO()
    for value in (1, 2):
        th.save({"w": value}, buffer)
    buffer.seek(0)
    with pytest.raises(RuntimeError, match="one archive follows another"):
        th.load(buffer)


def test_pytorchs_own_files_are_refused_with_what_to_do(tmp_path):
    state = torch.nn.Linear(2, 1).state_dict()
    torch.save(state, tmp_path / "new.pt")
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps({"a": 1}))
    for name in ("new.pt", "old.pt", "pickle.pt"):
        with pytest.raises(RuntimeError, match=rf"{name} is of .*safetensors\.torch\.save_file"):
            th.load(tmp_path / name)
        with open(tmp_path / name, "rb") as file, pytest.raises(RuntimeError, match="a pickle"):
            th.load(file)


def test_what_numpy_has_not_is_refused(tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file({"w": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    with pytest.raises(RuntimeError, match=r"w\.safetensors .*'BF16', .* save it as float32"):
        th.load(tmp_path / "w.safetensors")
    layer = nn.LazyLinear(2)
    with pytest.raises(ValueError, match="LazyLinear"):
        th.save(layer.state_dict(), tmp_path / "lazy.pt")
    assert not (tmp_path / "lazy.pt").exists()


def test_what_pytorch_pickles_with_is_not_taken(tmp_path):
    with pytest.raises(TypeError, match="pickle_module"):
        th.load(tmp_path / "w.pt", pickle_module=pickle)
    with pytest.raises(TypeError, match="pickle_protocol"):
        th.save({}, tmp_path / "w.pt", pickle_protocol=4)

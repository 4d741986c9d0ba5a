"""What a new process runs for `starting.py` and `growth.py`.

    python -m benchmarks.fresh step tinygrad_hw|numpy|torch|jax
    python -m benchmarks.fresh epoch tinygrad_hw|numpy|torch tinygrad_hw|float32|bytes FOLDER
    python -m benchmarks.fresh mapped FILE N

`step` is a first step of softmax regression on 64 made-up images. `epoch` is one epoch, batch 64,
on Fashion-MNIST from its files, and tells the most memory that the process had. `mapped` is one on
the first N images of a file of bytes, which stays on the disk. Each contender imports what it
needs, and nobody pays for another's. One line of JSON is written at the end.
"""

import gzip
import json
import sys
from pathlib import Path

LR, BATCH = 0.09, 64
STATUS = Path("/proc/self/status")
ROOM = 128  # MB that an epoch on a mapped file may take for itself


def ours(batches):
    """Softmax regression from zero weights; of bytes or of floats, as the batches are."""
    import tinygrad_hw as th
    from tinygrad_hw import nn, optim
    from tinygrad_hw.nn import functional as F

    model = nn.Linear(784, 10)
    for p in model.parameters():
        p.detach().zero_()
    optimizer = optim.SGD(model.parameters(), lr=LR)
    for x, t in batches:
        loss = F.cross_entropy(model(th.as_tensor(x)), th.as_tensor(t))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.weight.detach().numpy(), model.bias.detach().numpy()


def by_hand(batches):
    import numpy as np

    W, b = np.zeros((10, 784), np.float32), np.zeros(10, np.float32)
    for x, t in batches:
        z = x @ W.T + b
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(t)), t] -= 1
        p /= len(t)
        W -= LR * (p.T @ x)
        b -= LR * p.sum(axis=0)
    return W, b


def torch(batches):
    import torch

    model = torch.nn.Linear(784, 10)
    for p in model.parameters():
        p.detach().zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for x, t in batches:
        loss = torch.nn.functional.cross_entropy(model(torch.as_tensor(x)), torch.as_tensor(t))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.weight.detach().numpy(), model.bias.detach().numpy()


def jax(batches):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def loss(parameters, x, t):
        W, b = parameters
        return -jax.nn.log_softmax(x @ W.T + b)[jnp.arange(len(t)), t].mean()

    @jax.jit
    def step(parameters, x, t):
        gradient = jax.grad(loss)(parameters, x, t)
        return jax.tree.map(lambda p, g: p - LR * g, parameters, gradient)

    parameters = jnp.zeros((10, 784)), jnp.zeros(10)
    for x, t in batches:
        parameters = step(parameters, x, t)
    return tuple(map(np.asarray, parameters))


def made_up():
    """One batch that is quick to make: the clock is running."""
    import numpy as np

    x = np.sin(np.arange(BATCH * 784, dtype=np.float32)).reshape(BATCH, 784)
    yield x, np.arange(BATCH) % 10


def orders():
    """The indices of an epoch's batches."""
    import numpy as np

    order = np.random.default_rng(0).permutation(60_000)
    return [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def read(folder, part):
    """The images, uint8 (N, 784), and the classes, int64 (N,), of one half of Fashion-MNIST."""
    import numpy as np

    def content(name, header):
        plain = Path(folder, name)
        if plain.exists():
            raw = plain.read_bytes()
        else:
            raw = gzip.decompress(plain.with_name(f"{name}.gz").read_bytes())
        return np.frombuffer(raw, np.uint8, offset=header)

    images = content(f"{part}-images-idx3-ubyte", 16).reshape(-1, 784)
    return images, content(f"{part}-labels-idx1-ubyte", 8).astype(np.int64)


def loaded(folder):
    """Through our DataLoader, from bytes. Where there is no Fashion-MNIST, from drawn garments."""
    from benchmarks.data import training_set
    from tinygrad_hw.utils.data import DataLoader

    yield from DataLoader(training_set().vectors(), batch_sampler=orders())


def scaled(folder):
    """NumPy's float32 images, as most scripts have them."""
    import numpy as np

    images, y = read(folder, "train")
    X = images / np.float32(255)
    del images
    for i in orders():
        yield X[i], y[i]


def scaled_in_batches(folder):
    """The same of bytes that stay bytes: lean in memory, which is what is measured."""
    import numpy as np

    images, y = read(folder, "train")
    for i in orders():
        yield images[i] / np.float32(255), y[i]


TRAIN = {"tinygrad_hw": ours, "numpy": by_hand, "torch": torch, "jax": jax}
BATCHES = {"tinygrad_hw": loaded, "float32": scaled, "bytes": scaled_in_batches}


def peak():
    """The most memory that this program had, in MB. Linux hands `ru_maxrss` on from the process
    that started this one, which may be larger; VmHWM it does not."""
    if STATUS.exists():
        return status("VmHWM")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024


def status(name):
    """One of Linux's figures about this process, in MB."""
    return int(STATUS.read_text().split(f"{name}:")[1].split()[0]) / 1024


def step(library):
    return {"result": result(*TRAIN[library](made_up()))}


def epoch(library, data, folder=""):
    return {"result": result(*TRAIN[library](BATCHES[data](folder))), "cost": peak()}


def mapped(path, n):
    """What an epoch takes: seconds of the processor's time, and at most so many MB of its own.

    Pages of the mapped file are the system's, which takes them back when it likes, and do not
    count. Own memory is looked at between steps; a copy of the whole file that came and went
    within one would not be seen, but cannot be made.
    """
    import resource
    from time import process_time

    import numpy as np

    from tinygrad_hw.datasets.images import PixelVectors
    from tinygrad_hw.utils.data import DataLoader

    pixels = np.memmap(path, np.uint8, "r", shape=(int(n), 784))
    labels = np.fromfile(f"{path}.labels", np.uint8, int(n)).astype(np.int64)
    own = []

    def watched(images):
        for i, batch in enumerate(DataLoader(images, BATCH, shuffle=True)):
            if i % 50 == 0:
                own.append(status("RssAnon"))
            yield batch

    ours(watched(PixelVectors(pixels[:640], labels[:640])))  # compiles, or loads what was compiled
    most = int((status("VmData") + ROOM) * 2**20)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    start = process_time()
    ours(watched(PixelVectors(pixels, labels)))
    return {"cost": process_time() - start, "result": max(own)}


def result(W, b):
    return {"weight": W[:, ::28].tolist(), "bias": b.tolist()}


if __name__ == "__main__":
    programs = {"step": step, "epoch": epoch, "mapped": mapped}
    print(json.dumps(programs[sys.argv[1]](*sys.argv[2:])), flush=True)

# An embedding table, a hidden layer, cross-entropy: the model of Bengio et al. by hand.
import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(2147483647)
words = "emma olivia ava isabella sophia charlotte mia amelia harper evelyn".split()
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
block_size = 3
X, Y = [], []
for w in words:
    context = [0] * block_size
    for ch in w + ".":
        ix = stoi[ch]
        X.append(context)
        Y.append(ix)
        context = context[1:] + [ix]
X, Y = torch.tensor(X), torch.tensor(Y)
print(X.shape, X.dtype, Y.shape, Y.dtype)
V, d, h = len(stoi), 2, 20


def randn(*shape):
    return torch.from_numpy(rng.standard_normal(shape)).float()


C = randn(V, d)
W1, b1 = randn(block_size * d, h) * (5 / 3) / (block_size * d) ** 0.5, randn(h) * 0.01
W2, b2 = randn(h, V) * 0.01, randn(V) * 0
bngain, bnbias = torch.ones((1, h)), torch.zeros((1, h))
bnmean_running = torch.zeros((1, h))
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True
lossi = []
for i in range(60):
    ix = torch.from_numpy(rng.integers(0, X.shape[0], (32,)))
    Xb, Yb = X[ix], Y[ix]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hpreact = embcat @ W1 + b1
    bnmeani = hpreact.mean(0, keepdim=True)
    bnstdi = hpreact.std(0, keepdim=True)
    hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
    with torch.no_grad():
        bnmean_running = 0.9 * bnmean_running + 0.1 * bnmeani
    act = torch.tanh(hpreact)
    logits = act @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 40 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())
    if i % 20 == 0:
        print(f"{i:7d}/60: {loss.item():.4f}")
print(torch.tensor(lossi).view(-1, 20).mean(1))
print(bnmean_running[0, :4], (act.abs() > 0.97).float().mean().item())
print([f"{(lr * p.grad.std() / p.data.std()).log10().item():.4f}" for p in parameters[1:5:2]])
probs = F.softmax(logits, dim=1)
print(probs.sum(1)[:3], torch.multinomial(probs[0], 1).shape)

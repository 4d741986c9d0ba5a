# A bigram model of names: counting, sampling, and the same by gradient descent on one-hot rows.
import torch
import torch.nn.functional as F

words = "emma olivia ava isabella sophia charlotte mia amelia harper evelyn".split()
chars = sorted(list(set("".join(words))))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
n = len(stoi)
N = torch.zeros((n, n), dtype=torch.int32)
xs, ys = [], []
for w in words:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        N[stoi[ch1], stoi[ch2]] += 1
        xs.append(stoi[ch1])
        ys.append(stoi[ch2])
print(N.shape, N.sum(), N[0])
P = (N + 1).float()
P /= P.sum(1, keepdim=True)
print(P[0].sum(), P[0, :5])
g = torch.Generator().manual_seed(2147483647)
ix = torch.multinomial(P[0], num_samples=1, replacement=True, generator=g).item()
print(0 <= ix < n)
log_likelihood, count = 0.0, 0
for w in words[:3]:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        prob = P[stoi[ch1], stoi[ch2]]
        logprob = torch.log(prob)
        log_likelihood += logprob
        count += 1
        if count < 4:
            print(f"{ch1}{ch2}: {prob:.4f} {logprob:.4f}")
nll = -log_likelihood
print(f"{nll=}", f"{nll / count}")
xs, ys = torch.tensor(xs), torch.tensor(ys)
num = xs.nelement()
xenc = F.one_hot(xs, num_classes=n).float()
print(xenc.shape, xenc.dtype, num)
W = torch.linspace(-1, 1, n * n).reshape(n, n).requires_grad_()
for k in range(40):
    logits = xenc @ W
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdims=True)
    loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W ** 2).mean()
    W.grad = None
    loss.backward()
    W.data += -50 * W.grad
    if k % 10 == 9:
        print(k, loss.item())

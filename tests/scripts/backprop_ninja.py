# Backward by hand through every intermediate of a batch-normalized layer, compared with autograd.
import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(0)
n, f, h, V = 16, 6, 8, 5
x = torch.from_numpy(rng.normal(size=(n, f)))
Yb = torch.from_numpy(rng.integers(0, V, n))
W1, b1, W2, b2, gain, bias = (
    torch.from_numpy(rng.normal(size=s) * 0.3).requires_grad_()
    for s in ((f, h), (h,), (h, V), (V,), (1, h), (1, h)))

hpre = x @ W1 + b1
mean = 1 / n * hpre.sum(0, keepdim=True)
diff = hpre - mean
diff2 = diff ** 2
var = 1 / (n - 1) * diff2.sum(0, keepdim=True)
var_inv = (var + 1e-5) ** -0.5
raw = diff * var_inv
pre = gain * raw + bias
act = torch.tanh(pre)
logits = act @ W2 + b2
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum ** -1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
kept = [logprobs, probs, counts, norm_logits, logit_maxes, logits, act, pre, raw, var_inv, var, diff]
for t in kept:
    t.retain_grad()
loss.backward()
print(loss.item())


def cmp(s, dt, t):
    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad)
    maxdiff = (dt - t.grad).abs().max().item()
    print(f"{s:10s} | exact or close: {ex or app} | maxdiff small: {maxdiff < 1e-12}")


dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
cmp("logprobs", dlogprobs, logprobs)
dprobs = (1.0 / probs) * dlogprobs
cmp("probs", dprobs, probs)
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = (-counts_sum ** -2) * dcounts_sum_inv
dcounts += torch.ones_like(counts) * dcounts_sum
cmp("counts", dcounts, counts)
dnorm_logits = counts * dcounts
dlogits = dnorm_logits.clone()
dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
cmp("logits", dlogits, logits)
fast = F.softmax(logits, 1)
fast[range(n), Yb] -= 1
fast /= n
print(torch.allclose(fast, dlogits))
dact = dlogits @ W2.T
cmp("act", dact, act)
cmp("W2", act.T @ dlogits, W2)
cmp("b2", dlogits.sum(0), b2)
dpre = (1.0 - act ** 2) * dact
cmp("gain", (raw * dpre).sum(0, keepdim=True), gain)
cmp("bias", dpre.sum(0, keepdim=True), bias)
dhpre = gain * var_inv / n * (n * dpre - dpre.sum(0) - n / (n - 1) * raw * (dpre * raw).sum(0))
print(torch.allclose(x.T @ dhpre, W1.grad, rtol=1e-4, atol=1e-6))
print(W1.grad[0])

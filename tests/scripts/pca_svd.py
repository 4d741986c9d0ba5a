# Principal components by singular values, compared with the covariance's eigenvalues. float64
import numpy as np
import torch

rng = np.random.default_rng(0)
X = torch.from_numpy(rng.normal(size=(40, 5)) @ np.diag([3.0, 2, 1, 0.5, 0.1]))
X = X - X.mean(dim=0, keepdim=True)
U, S, Vh = torch.linalg.svd(X, full_matrices=False)
print(U.shape, S.shape, Vh.shape)
print("singular values:", [f"{s:.10f}" for s in S.tolist()])
explained = S ** 2 / (S ** 2).sum()
print([f"{v:.10f}" for v in explained])
projected = X @ Vh.T[:, :2]
print((projected ** 2).sum(0).sqrt().numpy().round(8).tolist())
restored = U * S @ Vh
print(torch.allclose(restored, X), torch.dist(restored, X).item() < 1e-10)
print(torch.allclose(U.T @ U, torch.eye(5, dtype=torch.float64)))
C = X.T @ X / (len(X) - 1)
print(torch.linalg.eigh(C)[0].flip(0).numpy().round(8).tolist())
print(torch.linalg.norm(X).item(), torch.linalg.det(C).item())
low = (U[:, :2] * S[:2]) @ Vh[:2]
print(f"{(X - low).norm().item():.10f}", f"{S[2:].norm().item():.10f}")
A = torch.tensor([[4.0, 1.0], [1.0, 3.0]])
b = torch.tensor([1.0, 2.0])
print(torch.linalg.solve(A, b), torch.linalg.inv(A), torch.linalg.det(A))
print(torch.linalg.cholesky(A), torch.linalg.slogdet(A).logabsdet)
print(torch.inverse(A) @ A)
print(torch.linalg.cross(torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0])))

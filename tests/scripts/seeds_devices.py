# What a script asks about the machine, and what seeds promise.
import torch

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
print(device, device.type, torch.cuda.is_available(), torch.cuda.device_count())
print("mps" if torch.backends.mps.is_available() else "no mps")
torch.manual_seed(42)
torch.cuda.manual_seed_all(42)
if torch.cuda.is_available():
    torch.backends.cudnn.deterministic = True
a = torch.randn(3, 3, device=device)
torch.manual_seed(42)
b = torch.randn(3, 3)
print((a == b).all(), a.device == device, a.is_cuda)
g = torch.Generator()
g.manual_seed(0)
first = torch.rand(3, generator=g)
g.manual_seed(0)
print(torch.equal(first, torch.rand(3, generator=g)))
model = torch.nn.Linear(2, 2).to(device)
x = torch.ones(1, 2).to(device)
print(model(x).cpu().shape, next(model.parameters()).device)
print(x.to(dtype=torch.float64).dtype, x.to(torch.int32), x.to("cpu") is x)
print(model.cpu() is model, model.double().weight.dtype, model.float().weight.dtype)


def try_gpu(i=0):
    if torch.cuda.device_count() >= i + 1:
        return torch.device(f"cuda:{i}")
    return torch.device("cpu")


def try_all_gpus():
    return [torch.device(f"cuda:{i}") for i in range(torch.cuda.device_count())] or [torch.device("cpu")]


print(try_gpu(), try_gpu(10), try_all_gpus())
print(torch.ones(2, device=try_gpu()))
print(torch.zeros(2, device="cpu").device)
torch.set_printoptions(precision=2, sci_mode=False)
print(torch.tensor([1.23456, 1000.5]))
torch.set_printoptions(profile="default")
print(torch.tensor([1.23456]))
print(torch.get_default_dtype())
out = torch.empty(2, 3)
torch.rand(2, 3, out=out)
print(out.shape, bool((out >= 0).all() and (out < 1).all()))
torch.randn(size=(2, 2), dtype=torch.float64)
n = torch.normal(mean=torch.zeros(3), std=torch.ones(3) * 1e-6)
print((n.abs() < 1e-4).all(), torch.normal(2.0, 1e-7, size=(2,)).round())
print(torch.rand(2, 2, device=device, dtype=torch.float64, requires_grad=True).requires_grad)
print(isinstance(torch.__version__, str))

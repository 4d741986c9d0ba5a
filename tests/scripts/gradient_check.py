# Custom functions checked numerically; derivatives of several orders. float64
import torch
from torch.autograd import Function, gradcheck


class MyReLU(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad_x = grad_output.clone()
        grad_x[x < 0] = 0
        return grad_x


class Exp(Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        result, = ctx.saved_tensors
        return grad_output * result


class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


x = torch.tensor([1.5, -0.5, 2.5], dtype=torch.double, requires_grad=True)
print(MyReLU.apply(x), gradcheck(MyReLU.apply, (x,), eps=1e-6, atol=1e-4))
print(gradcheck(Exp.apply, x), torch.autograd.gradgradcheck(Exp.apply, x))
print(gradcheck(lambda t: Scale.apply(t, 3.0), (x,)))
y = Scale.apply(Exp.apply(x), 2.0).sum()
y.backward()
print(x.grad)
t = torch.tensor(2.0, dtype=torch.double, requires_grad=True)
f = t ** 4
for order in range(1, 5):
    (f,) = torch.autograd.grad(f, t, create_graph=True)
    print(order, f"{f.item():.12g}")
z = torch.sin(torch.tensor(0.5, dtype=torch.double, requires_grad=True))
print(z)
a = torch.tensor([1.0, 2.0], dtype=torch.double, requires_grad=True)
b = torch.tensor([3.0, 4.0], dtype=torch.double, requires_grad=True)
c = (a * b).sum()
print(torch.autograd.grad(c, [a, b], retain_graph=True))
print(torch.autograd.grad(c, [a], grad_outputs=torch.tensor(2.0, dtype=torch.double)))
print(torch.autograd.grad(a.sum(), [a, b], allow_unused=True)[1])
q = 3 * a ** 3 - b ** 2
q.backward(gradient=torch.tensor([1.0, 1.0], dtype=torch.double))
print(9 * a ** 2 == a.grad, -2 * b == b.grad)


def relu_by_hand(t):
    return t if t > 0 else t * 0.01


s = torch.tensor(-3.0, dtype=torch.double, requires_grad=True)
relu_by_hand(s).backward()
print(s.grad, torch.autograd.gradcheck(torch.tanh, (a,)))

# Older and rarer spellings that scripts still use.
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable

x = torch.arange(6.0).view(2, 3)
y = x.flip(1)
print(nn.MSELoss(size_average=False)(x, y), nn.MSELoss(reduce=False)(x, y).shape)
print(F.mse_loss(x, y, size_average=True), F.l1_loss(x, y, reduction="sum"))
print(F.softmax(x, 1)[0], F.sigmoid(x)[0], F.tanh(x)[0])
print(torch.sum(x, 0), torch.sum(x, dim=1, keepdim=True), x.sum(-1), x.sum((0, 1)), x.sum(axis=0, keepdims=True))
print(x.max(1)[0], x.max(1)[1], torch.max(x, 1)[1].data.numpy(), x.max(1, keepdim=True)[1])
values, indices = x.topk(2, dim=1)
print(values, indices, x.sort(descending=True)[0][0], x.argsort(1, descending=True))
pred = y.data.max(1, keepdim=True)[1]
target = torch.LongTensor([0, 1])
print(pred.eq(target.data.view_as(pred)).cpu().sum(), pred.squeeze(), pred.view(-1))
out, loss = Variable(x), 0
loss += F.nll_loss(F.log_softmax(out, dim=1), target).data.item()
print(round(loss, 5), out.data.size())
u = torch.FloatTensor(3).uniform_(0, 1)
n = torch.Tensor(2, 2).normal_(0, 1)
print(u.size(), bool((u >= 0).all()), n.dim(), torch.FloatTensor(2, 2).zero_(), torch.Tensor(2).fill_(3))
print(torch.ones(2).type_as(torch.tensor([1])), x.expand_as(x).size(), x.type(torch.LongTensor))
w = Variable(torch.FloatTensor([1.0, 2.0]), requires_grad=True)
(w * w).backward(torch.FloatTensor([1.0, 0.1]))
print(w.grad.data, w.grad.data.numpy())
a = torch.ones(1, requires_grad=True)
b = a * 2
c = a * 3
torch.autograd.backward([b, c])
print(a.grad)
print(x.view(3, -1), x.view(x.size(0), -1).size(), x.resize_(3, 2).size() if False else "", x.t().contiguous().view(-1))
print(x.add(1), x.sub(1), x.mul(2), x.div(2), x.neg(), x.pow(2), x.sqrt(), x.exp()[0], x.log1p()[0])
print(x.lt(3), x.le(3), x.gt(3), x.ge(3), x.eq(3), x.ne(3), x.equal(x), x.mean(0), x.std(1), x.var(0), x.prod())
print(x.clamp(1, 4), x.clamp(max=2), x.clamp_min(2), x.abs().sum(), x.norm(2), x.norm(2, 1), x.norm(p=2, dim=0))
print(torch.mul(x, y), torch.div(x, y + 1), torch.sub(x, y, alpha=2), torch.add(x, y, alpha=10), x.add(y, alpha=0.5))
print(x.narrow(1, 0, 2), x.select(0, 1), x.chunk(3, 1)[0], x.split(1)[1], x.unbind(0)[0], x.repeat(1, 2), x.expand(2, 3))
print(torch.zeros([2, 2]), torch.ones((2,)), torch.eye(2).bool(), torch.full([2], 1.5), torch.arange(0, 3, 0.5))
print(nn.Softmax(1)(x), nn.Sequential(nn.Linear(3, 2, False)), nn.LeakyReLU(negative_slope=0.2), nn.Dropout(0.3))
print(torch.nn.init.calculate_gain("relu"), torch.nn.init.ones_(torch.empty(2)), nn.init.eye_(torch.empty(2, 2)))
for init in (nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
    drawn = init(torch.empty(200, 100))
    print(init.__name__, drawn.shape, abs(drawn.mean().item()) < 0.01)
with torch.autograd.set_detect_anomaly(True):
    z = torch.tensor(2.0, requires_grad=True)
    (z ** 3).backward()
print(z.grad, torch.autograd.grad((z * 2), z)[0])
print(torch.numel(x), torch.is_floating_point(x), torch.transpose(x, 0, 1).size(), torch.t(x).is_contiguous())

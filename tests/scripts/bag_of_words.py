# A bag-of-words classifier with an embedding, and one with one-hot counts; NLLLoss.
import torch
import torch.nn as nn
import torch.nn.functional as F

data = [("me gusta comer en la cafeteria".split(), "SPANISH"),
        ("give it to me".split(), "ENGLISH"),
        ("no creo que sea una buena idea".split(), "SPANISH"),
        ("no it is not a good idea to get lost at sea".split(), "ENGLISH")]
test_data = [("yo creo que si".split(), "SPANISH"), ("it is lost on me".split(), "ENGLISH")]
word_to_ix = {}
for sent, _ in data + test_data:
    for word in sent:
        if word not in word_to_ix:
            word_to_ix[word] = len(word_to_ix)
label_to_ix = {"SPANISH": 0, "ENGLISH": 1}
V, num_labels = len(word_to_ix), 2


class BoWClassifier(nn.Module):
    def __init__(self, num_labels, vocab_size):
        super(BoWClassifier, self).__init__()
        self.linear = nn.Linear(vocab_size, num_labels)

    def forward(self, bow_vec):
        return F.log_softmax(self.linear(bow_vec), dim=1)


def make_bow_vector(sentence, word_to_ix):
    vec = torch.zeros(len(word_to_ix))
    for word in sentence:
        vec[word_to_ix[word]] += 1
    return vec.view(1, -1)


model = BoWClassifier(num_labels, V)
with torch.no_grad():
    model.linear.weight.copy_(torch.linspace(-0.2, 0.2, 2 * V).view(2, V))
    model.linear.bias.zero_()
loss_function = nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(20):
    for sentence, label in data:
        model.zero_grad()
        bow_vec = make_bow_vector(sentence, word_to_ix)
        target = torch.LongTensor([label_to_ix[label]])
        loss = loss_function(model(bow_vec), target)
        loss.backward()
        optimizer.step()
with torch.no_grad():
    for sentence, label in test_data:
        print(label, model(make_bow_vector(sentence, word_to_ix)))
print(next(model.parameters())[:, word_to_ix["creo"]])

embeds = nn.Embedding(V, 4)
embeds.weight.data.copy_(torch.linspace(-1, 1, V * 4).view(V, 4))
head = nn.Linear(4, 2)
nn.init.constant_(head.weight, 0.1)
nn.init.constant_(head.bias, 0.0)
optimizer = torch.optim.SGD([*embeds.parameters(), *head.parameters()], lr=0.1)
for epoch in range(10):
    total = 0
    for sentence, label in data:
        ids = torch.tensor([word_to_ix[w] for w in sentence], dtype=torch.long)
        loss = F.cross_entropy(head(embeds(ids).mean(0, keepdim=True)), torch.tensor([label_to_ix[label]]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(epoch, f"{total:.5f}")
print(embeds, embeds(torch.tensor([[0, 1], [2, 0]])).shape)
print(embeds.weight.grad[:3])

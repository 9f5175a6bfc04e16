"""Images a second of processor time that PyTorch trains and captures of LeNet-5 on one thread, batch 100, Adam.

python bench/lenet.py [images]; the same net as packages/analysis/src/models/lenet5, on random pixels.
"""
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
torch.manual_seed(0)
x, y = torch.rand(count, 1, 28, 28), torch.randint(0, 10, (count,))
net = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10), nn.LogSoftmax(1),
)
adam = torch.optim.Adam(net.parameters(), lr=1e-3)


def step(i):
    adam.zero_grad()
    nn.functional.nll_loss(net(x[i : i + 100]), y[i : i + 100]).backward()
    adam.step()


def capture(i):
    values = x[i : i + 100]
    with torch.no_grad():
        return [values := layer(values) for layer in net]


for name, work in (("training", step), ("capture of every layer", capture)):
    for i in range(0, 1000, 100):
        work(i)
    start = time.process_time()
    for i in range(0, count, 100):
        work(i)
    print(f"torch {torch.__version__}, {name}: {count / (time.process_time() - start):.0f} images a second")

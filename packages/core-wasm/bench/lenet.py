"""What PyTorch takes for LeNet-5 on one thread, for scripts/bench-nets.mjs beside ours.

python bench/lenet.py: reads lines of "WORK COUNT" and answers each with seconds of processor time. The same net as
packages/analysis/src/models/lenet5, on random pixels, batch 100; COUNT is of images, or of vectors at one image.
"""
import sys
import time

import torch
from torch import func, nn

torch.set_num_threads(1)
torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10), nn.LogSoftmax(1),
)
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
images, labels = torch.rand(2000, 1, 28, 28), torch.randint(0, 10, (2000,))


def batches(count):
    return (slice(i % 2000, i % 2000 + 100) for i in range(0, count, 100))


def training(count):
    for batch in batches(count):
        adam.zero_grad()
        nn.functional.nll_loss(net(images[batch]), labels[batch]).backward()
        adam.step()


def capture(count):
    kept = []
    with torch.no_grad():
        for batch in batches(count):
            values = images[batch]
            kept.append([values := layer(values) for layer in net])
        return [torch.cat(outputs) for outputs in zip(*kept)]


def jvp(count):
    """J·v of the output by the pixels of one image, 100 vectors at a time."""
    vectors = torch.rand(100, 1, 1, 28, 28)
    with torch.no_grad():
        for _ in range(0, count, 100):
            func.vmap(lambda v: func.jvp(net, (images[:1],), (v,))[1])(vectors)


def vjp(count):
    """Jᵀ·u as jvp; the net runs once."""
    vectors = torch.rand(100, 1, 10)
    _, back = func.vjp(net, images[:1])
    for _ in range(0, count, 100):
        func.vmap(back)(vectors)


print(torch.__version__, flush=True)
for line in sys.stdin:
    name, count = line.split()
    start = time.process_time()
    globals()[name](int(count))
    print(time.process_time() - start, flush=True)

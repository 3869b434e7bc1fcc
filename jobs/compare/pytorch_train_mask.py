#!/usr/bin/env python3
"""Today's practice, for `coppice bench train --compare-with`: training a dense PyTorch network whose weights are
multiplied with a mask after each step, one thread.

    coppice bench train --compare-with jobs/compare/pytorch_train_mask.py

What to do comes from the environment (COPPICE_BENCH_NET: units of the layers, _EPSILON, _BATCH, _SAMPLES,
_ACTIVATION, _DROPOUT, _FRONT: layers before them, as "3x32x32: conv1=conv2d(32,3,1,1) relu1=relu ...", or nothing). A step is forward, loss, backward, SGD with momentum and weight decay, and the masks. At most
so many steps are taken as give a steady time; the rate is printed. Needs PyTorch; times are processor time.
"""
import json
import os
import sys
import time

try:
    import torch
    from torch import nn
except ImportError as error:
    sys.exit(f"{os.path.basename(__file__)}: {error} ({sys.executable}): install PyTorch (Debian: python3-torch), "
             "or name a Python that has it: --compare-with 'PYTHON jobs/compare/pytorch_train_mask.py'")

STEADY = 20  # steps


class SReLU(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.tl = nn.Parameter(torch.zeros(units))
        self.al = nn.Parameter(torch.rand(units))
        self.tr = nn.Parameter(5 * torch.rand(units))
        self.ar = nn.Parameter(torch.ones(units))

    def forward(self, x):
        top = self.tl + self.tr.abs()
        low = self.tl + self.al * (x - self.tl)
        return torch.where(x <= self.tl, low, torch.where(x >= top, top + self.ar * (x - top), x))


class AllReLU(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.slope = 0.6 if layer % 2 else -0.6

    def forward(self, x):
        return nn.functional.leaky_relu(x, self.slope)


def spec(name, default):
    return os.environ.get("COPPICE_BENCH_" + name, default)


def network(widths, activation, dropout):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(a, b))
        if i + 2 < len(widths):
            layers.append({"srelu": lambda: SReLU(b), "all-relu": lambda: AllReLU(i)}.get(activation, nn.ReLU)())
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def front_of(text):
    """The input's shape and the layers of a front, from its canonical text."""
    shape, layers = text.split(":")
    shape = [int(n) for n in shape.split("x")]
    channels, made = shape[0], []
    for word in layers.split():
        kind, _, numbers = word.split("=")[1].partition("(")
        numbers = [float(n) for n in numbers.rstrip(")").split(",") if n]
        whole = [int(n) for n in numbers]
        if kind == "conv2d":
            whole += [1, 0][len(whole) - 2:]
            made.append(nn.Conv2d(channels, whole[0], whole[1], whole[2], whole[3]))
            channels = whole[0]
        elif kind == "maxpool":
            made.append(nn.MaxPool2d(*whole))
        elif kind == "dropout":
            made.append(nn.Dropout(numbers[0]))
        elif kind == "relu":
            made.append(nn.ReLU())
        else:
            sys.exit(f"pytorch_train_mask.py: {kind} is not known here")
    return shape, made + [nn.Flatten()]


def main():
    widths = [int(w) for w in spec("NET", "784,1000,1000,1000,10").split(",")]
    epsilon = float(spec("EPSILON", "20"))
    batch, samples = int(spec("BATCH", "100")), int(spec("SAMPLES", "6000"))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shape, front = front_of(spec("FRONT", "")) if spec("FRONT", "") else ([widths[0]], [])
    net = nn.Sequential(*front, *network(widths, spec("ACTIVATION", "relu"), float(spec("DROPOUT", "0")))).train()
    linear = [m for m in net if isinstance(m, nn.Linear)]
    masks = []
    for layer in linear:
        out, into = layer.weight.shape
        masks.append((torch.rand_like(layer.weight) < epsilon * (into + out) / (into * out)).float())
        layer.weight.data.mul_(masks[-1])
    masks[-1].fill_(1)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0002)
    x, label = torch.rand(samples, *shape) * 2 - 1, torch.randint(widths[-1], (samples,))
    loss_of = nn.CrossEntropyLoss()

    def step():
        chosen = torch.randint(samples, (batch,))
        optimiser.zero_grad()
        loss_of(net(x[chosen]), label[chosen]).backward()
        optimiser.step()
        with torch.no_grad():
            for layer, mask in zip(linear, masks):
                layer.weight.mul_(mask)

    steps = max(1, min(STEADY, samples // batch))
    for _ in range(3):
        step()
    start = time.process_time()
    for _ in range(steps):
        step()
    seconds = time.process_time() - start
    print(json.dumps({"name": f"PyTorch {torch.__version__}, dense with mask",
                      "samples_x_values_per_s": steps * batch / max(seconds, 1e-9)}))


if __name__ == "__main__":
    main()

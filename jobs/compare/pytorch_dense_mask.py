#!/usr/bin/env python3
"""Today's practice, for `coppice bench eval|generation --compare-with`: a dense PyTorch network with the mask
multiplied into its weights, one forward pass per shared weight, one thread.

    coppice bench eval --compare-with jobs/compare/pytorch_dense_mask.py

What to do comes from the environment (COPPICE_BENCH_NET, _DENSITY, _VALUES, _SAMPLES, _INDIVIDUALS). Batches of 16
to 1000 samples are tried and the fastest is taken. A dense product takes the same time whatever the mask and the
images are, so random ones do, and no more of them than are needed for a steady time: the rate is printed, not the
time of the whole work. Needs PyTorch and NumPy; all times are processor time.
"""
import json
import os
import sys
import time

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    sys.exit(f"{os.path.basename(__file__)}: {error} ({sys.executable}): install PyTorch and NumPy (Debian: python3-torch), "
             "or name a Python that has them: --compare-with 'PYTHON jobs/compare/pytorch_dense_mask.py'")

BATCHES = (16, 32, 64, 100, 128, 256, 500, 1000)
NETS = {
    "padawann-cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10)),
    "padawann-ff": lambda: nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)),
}
# samples that one measurement takes: some tenths of a second
STEADY = {"padawann-cnn": 500, "padawann-ff": 20000}


def spec(name, default):
    return os.environ.get("COPPICE_BENCH_" + name, default)


def evaluate(base, net, masks, values, x, label, batch):
    """Correct answers by shared weight of one individual, as PADAWANN counts them."""
    correct = []
    for value in values:
        for layer, trained, mask in zip((m for m in net if hasattr(m, "weight")), base, masks):
            layer.weight.copy_(trained.sign() * value * mask)
        right = 0
        for at in range(0, len(x), batch):
            right += int((net(x[at:at + batch]).argmax(1) == label[at:at + batch]).sum())
        correct.append(right)
    return correct


def timed(*arguments):
    start = time.process_time()
    evaluate(*arguments)
    return time.process_time() - start


def main():
    name = spec("NET", "padawann-cnn")
    if name not in NETS:
        sys.exit(f"{os.path.basename(__file__)}: no network {name} here; there are {', '.join(NETS)}")
    density = float(spec("DENSITY", "0.6"))
    values = [float(v) for v in spec("VALUES", "0.5,1,2").split(",")]
    samples = int(spec("SAMPLES", "1000"))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = NETS[name]().eval()
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (max(BATCHES), 1, 28, 28)) * (rng.random((max(BATCHES), 1, 28, 28)) < 0.2)
    images = torch.from_numpy(((grey / 255 - 0.1307) / 0.3081).astype(np.float32))
    labels = torch.from_numpy(rng.integers(0, 10, max(BATCHES)))

    def take(count):
        repeat = -(-count // len(images))
        return images.repeat(repeat, 1, 1, 1)[:count], labels.repeat(repeat)[:count]

    with torch.no_grad():
        base = [m.weight.detach().clone() for m in net if hasattr(m, "weight")]
        masks = [(torch.rand_like(w) < density).float() for w in base]
        steady = min(samples, STEADY[name])
        sizes = sorted({min(b, steady) for b in BATCHES})
        x, label = take(steady)
        timed(base, net, masks, values[:1], *take(sizes[0]), sizes[0])  # warms up
        best = min(sizes, key=lambda b: timed(base, net, masks, values[:1], x, label, b))
        seconds = timed(base, net, masks, values, x, label, best)
    print(json.dumps({"name": f"PyTorch {torch.__version__}, dense with mask, batch {best}",
                      "samples_x_values_per_s": steady * len(values) / max(seconds, 1e-9), "batch": best}))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Today's practice, for `coppice bench ecomp --compare-with`: what EComp's own program computes for one individual and
generation. A forward pass in PyTorch, the share of right answers, and for each hidden layer the joint probabilities of
scikit-learn's t-SNE (perplexity 30) and their divergence from the parent's. One thread, processor time; breeding is not
counted.

    coppice bench ecomp --compare-with jobs/compare/pytorch_ecomp.py

COPPICE_BENCH_NET names the widths (784-150-150-10), _SAMPLES and _INDIVIDUALS the work; a hundred individuals are
measured and their rate is printed. Needs PyTorch, NumPy and scikit-learn.
"""
import json
import os
import sys
import time

try:
    import numpy as np
    import torch
    from sklearn.manifold import _t_sne
    from sklearn.metrics import pairwise_distances
except ImportError as error:
    sys.exit(f"{os.path.basename(__file__)}: {error} ({sys.executable}): install PyTorch, NumPy and scikit-learn (Debian: "
             "python3-torch python3-sklearn), or name a Python that has them: --compare-with 'PYTHON jobs/compare/pytorch_ecomp.py'")

TINY = 2.22e-16


def joint(hidden):
    distances = pairwise_distances(hidden.numpy(), metric="euclidean", squared=True)
    return np.maximum(_t_sne._joint_probabilities(distances, 30, 0), TINY)


def main():
    widths = [int(w) for w in os.environ.get("COPPICE_BENCH_NET", "784-150-150-10").split("-")]
    samples = int(os.environ.get("COPPICE_BENCH_SAMPLES", "100"))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    layers = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
    images = torch.rand(samples, widths[0]) * (torch.rand(samples, widths[0]) > 0.5)
    labels = torch.randint(0, widths[-1], (samples,))

    def hidden_of(x):
        found = []
        for layer in layers[:-1]:
            x = torch.relu(layer(x))
            found.append(x)
        return found, layers[-1](x)

    def one(parents):
        found, logits = hidden_of(images)
        right = (logits.argmax(1) == labels).float().mean().item()
        loss = 0.0
        for p, hidden in zip(parents, found):
            q = joint(hidden)
            loss += 2 * np.dot(p, np.log(np.maximum(p, TINY) / q))
        return right, loss

    with torch.no_grad():
        parents = [joint(h + 0.1 * torch.rand_like(h)) for h in hidden_of(images)[0]]
        for _ in range(10):
            one(parents)
        start, count = time.process_time(), 100
        for _ in range(count):
            one(parents)
        seconds = time.process_time() - start
    print(json.dumps({"name": f"PyTorch {torch.__version__}, one individual after the other",
                      "samples_x_values_per_s": samples * count / seconds}))


if __name__ == "__main__":
    main()

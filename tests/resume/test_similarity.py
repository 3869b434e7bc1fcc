#!/usr/bin/env python3
"""A search with similarity under exact arithmetic: the same digest on any ranks, integer kernel and BLAS."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/similarity.ini"


@test
def neither_ranks_nor_kernels_move_the_digest(scratch):
    # the base network is trained once, by one BLAS; the searches read it
    base = ("--set", f"base.file={scratch}/base.h5")
    ways = {
        "alone": (0, {}),
        "3 ranks": (3, {}),
        "plain integers": (0, {"COPPICE_KERNEL": "plain"}),
        # OpenBLAS takes the kernels of that processor, where it was built with a choice; the oldest run on all x86-64
        "another BLAS": (0, {"OPENBLAS_CORETYPE": "Prescott"}),
        "other BLAS on 2 ranks": (2, {"OPENBLAS_CORETYPE": "Nehalem"}),
    }
    seen = {}
    for way, (ranks, env) in ways.items():
        folder = f"{scratch}/{way.replace(' ', '-')}"
        check_status(coppice("run", CONFIG, "--out", folder, *base, ranks=ranks, env=env), 0)
        seen[way] = digest(folder)
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A search with trained weights under sparse arithmetic: floats, and still one digest on any ranks, kernel and BLAS."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/trained.ini"


@test
def neither_ranks_nor_kernels_move_the_digest(scratch):
    # the base network is trained once, by one BLAS; the searches read it
    sets = ("--set", f"base.file={scratch}/base.h5", "--set", "evaluate.arithmetic=sparse")
    ways = {
        "alone": (0, {}),
        "3 ranks": (3, {}),
        "baseline kernel": (0, {"COPPICE_KERNEL": "sse2"}) if os.uname().machine == "x86_64" else (0, {}),
        "plain kernel on 2 ranks": (2, {"COPPICE_KERNEL": "plain"}),
        # OpenBLAS takes the kernels of that processor, where it was built with a choice
        "another BLAS": (0, {"OPENBLAS_CORETYPE": "Prescott"}),
    }
    seen = {}
    for way, (ranks, env) in ways.items():
        folder = f"{scratch}/{way.replace(' ', '-')}"
        check_status(coppice("run", CONFIG, "--out", folder, *sets, ranks=ranks, env=env), 0)
        seen[way] = digest(folder)
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


if __name__ == "__main__":
    main()

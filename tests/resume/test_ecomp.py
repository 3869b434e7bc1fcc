#!/usr/bin/env python3
"""Dense genomes with weights of their own: the same digest on any ranks and across stops; files whole."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/ecomp.ini"


@test
def neither_ranks_nor_stops_move_the_digest(scratch):
    base = ("--set", f"base.file={scratch}/base.h5")
    seen = {}
    for way, ranks in {"alone": 0, "two": 2, "four": 4}.items():
        folder = f"{scratch}/{way}"
        check_status(coppice("run", CONFIG, "--out", folder, *base, ranks=ranks), 0)
        seen[way] = digest(folder)
    folder = f"{scratch}/again"
    check_status(coppice("run", CONFIG, "--out", folder, *base, "--set", "stop.generations=5", ranks=3), 0)
    check_status(coppice("resume", folder, "--set", "stop.generations=8", ranks=2), 0)
    seen["resumed"] = digest(folder)
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


@test
def kills_do_not_move_the_digest(scratch):
    """Killed in a unit, at a checkpoint and between its renaming and its entry, and gone on with on other ranks:
    genomes with weights of their own come back from the files."""
    env = dict(os.environ, COPPICE_CACHE=f"{scratch}/cache")
    sets = ("--set", "checkpoint.every=2", "--set", "stop.generations=10", "--quiet")
    check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", *sets, env=env), 0)
    wanted = digest(f"{scratch}/straight")
    kills = ("kill@unit:9", "kill@checkpoint.written", "kill@ledger.before:2", "kill@checkpoint.renamed")
    for ranks in (1, 2, 3):
        folder, killed = f"{scratch}/killed-{ranks}", 0
        start = ("run", CONFIG, "--out", folder, "--resume", "auto", *sets)
        for k, kill in enumerate(kills):  # each on other ranks than the one before
            result = coppice(*start, ranks=(ranks + k - 1) % 3 + 1, env=dict(env, COPPICE_FAULT=kill))
            killed += result.returncode != 0
        check(killed >= 2, f"{ranks} ranks: only {killed} kills")
        check_status(coppice(*start, ranks=ranks, env=env), 0)
        check(digest(folder) == wanted, f"{ranks} ranks: {digest(folder)}, wanted {wanted}")


@test
def the_network_that_was_named_can_be_evaluated(scratch):
    folder = f"{scratch}/run"
    check_status(coppice("run", CONFIG, "--out", folder), 0)
    for evaluator in ("dense", "blas", "reference", "sparse"):
        check_status(coppice("evaluate", folder, "--evaluator", evaluator), 0)
    check_status(coppice("inspect", folder), 0)


@test
def a_survivor_with_an_old_fitness_is_refused(scratch):
    result = coppice("check", CONFIG, "--set", "pool.op=elite_cull", "--set", "pool.elite=0.2")
    check_status(result, 78)
    check("draw" in result.stderr, result.stderr)


@test
def masks_and_dense_genomes_do_not_mix(scratch):
    for change in ("vary.ops=prune.random", "cross.op=uniform", "initialise.op=pruned"):
        result = coppice("check", CONFIG, "--set", change)
        check_status(result, 78)


if __name__ == "__main__":
    main()

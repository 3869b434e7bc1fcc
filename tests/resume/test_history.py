#!/usr/bin/env python3
"""A bounded history ([run] history): the same search, in less memory, on any number of ranks, interrupted or not."""
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

SMOKE = "configs/smoke/padawann.ini"
SEARCHES = {  # how the next generation is made up
    "elites": (SMOKE, ()),
    "generational": (SMOKE, ("pool.elite=0", "pool.cull=0", "survive.op=generational")),
    "pareto": ("configs/smoke/pareto.ini", ()),
    "dense": ("configs/smoke/ecomp.ini", ()),  # own weights, a new batch each generation, elites born again
}


def sets(*assignments):
    return [f"--set={a}" for a in assignments]


def run(folder, name, *more, ranks=0, generations=9, history=2, status=0, env=None):
    config, own = SEARCHES[name]
    words = sets(*own, f"stop.generations={generations}", f"run.history={history}", *more)
    result = coppice("run", config, "--out", folder, "-q", *words, ranks=ranks, env=env)
    check_status(result, status)
    return result


def resume(folder, *more, ranks=0, status=0):
    result = coppice("resume", folder, "-q", *sets(*more), ranks=ranks)
    check_status(result, status)
    return result


def inspect(folder):
    result = coppice("inspect", folder, "--json")
    check_status(result, 0)
    return json.loads(result.stdout)


@test
def ranks_do_not_matter(scratch):
    for name in SEARCHES:
        seen = {}
        for ranks in (0, 2, 3, 4):
            run(f"{scratch}/{name}{ranks}", name, ranks=ranks)
            seen[ranks] = digest(f"{scratch}/{name}{ranks}")
        check(len(set(seen.values())) == 1, f"{name}: digests differ: {seen}")


@test
def the_search_is_that_without_a_bound(scratch):
    for name in SEARCHES:
        run(f"{scratch}/{name}-all", name, history=0)
        run(f"{scratch}/{name}-two", name)
        everything, bounded = inspect(f"{scratch}/{name}-all"), inspect(f"{scratch}/{name}-two")
        for part in ("generations", "population", "best"):
            check(everything[part] == bounded[part], f"{name}: {part} is another")
        a, b = everything["checkpoint"], bounded["checkpoint"]
        check(a["held"] == a["individuals"] == b["individuals"], (a, b))
        check(b["held"] < a["held"] and a["digest"] != b["digest"], f"{name}: nothing was dropped: {b}")


def packed_row(c, row):
    """A row of a checkpoint as docs/formats/checkpoint.md says that it is hashed."""
    column = {name: values[row].item() for name, values in c.individuals.items()}
    whole = [column[n] % 2 ** 64 for n in ("id", "born", "crossed", "varied", "parent1", "parent2", "cut", "died", "elite")]
    real = [column[n] for n in ["amount_1", "amount_2", "amount_3", "amount_4", "fitness", *c.measures]]
    real = [float("nan") if x != x else x for x in real]
    return struct.pack(f"<{len(whole)}Q{len(real)}d", *whole, *real)


@test
def the_chain_is_what_the_format_says(scratch):
    try:
        sys.path.insert(0, os.path.join(ROOT, "docs"))
        sys.dont_write_bytecode = True
        import read_run
    except ImportError as error:
        raise Skip(f"{error}: install python3-h5py and python3-numpy")
    for name in SEARCHES:
        for window in (1, 2, 3):
            run(f"{scratch}/{name}-{window}", name, history=window)
        run(f"{scratch}/{name}", name, history=0)
        c = read_run.Checkpoint(f"{scratch}/{name}/checkpoints/gen-000009.h5")
        born, died = c.individuals["born"], c.individuals["died"]
        best = set(c.generations["best_ever_id"].tolist())
        for window in (1, 2, 3):
            chain, gone = "0" * 64, set()
            for g in range(2 * window, 10, window):
                before = g - window
                leave = [k for k in range(len(born)) if born[k] <= before and 0 <= died[k] <= before and k not in best | gone]
                gone |= set(leave)
                if leave:
                    text = struct.pack("<Q", 64) + chain.encode()
                    chain = hashlib.sha256(text + b"".join(packed_row(c, k) for k in leave)).hexdigest()
            b = read_run.Checkpoint(f"{scratch}/{name}-{window}/checkpoints/gen-000009.h5")
            check(gone, f"{name}: nothing left")
            check(b.window["chain"] == chain, f"{name}, window {window}: {b.window['chain']} is not {chain}")
            check(set(b.individuals["id"].tolist()) == set(range(len(born))) - gone, f"{name}: other rows are held")
            for k, i in enumerate(b.individuals["id"]):
                check(packed_row(b, k) == packed_row(c, i), f"{name}: the row of {i} is another")


@test
def any_generation_is_one_to_go_on_from(scratch):
    for name in SEARCHES:
        run(f"{scratch}/{name}", name, history=3)
        wanted = digest(f"{scratch}/{name}")
        # 3 and 6 are multiples: snapshots are taken, and at 6 rows are dropped
        for stop in range(9) if name == "elites" else (2, 3, 6, 7):
            folder = f"{scratch}/{name}-{stop}"
            run(folder, name, generations=stop, history=3)
            resume(folder, "stop.generations=9")
            check(digest(folder) == wanted, f"{name}: stopped at {stop}, it ended elsewhere")


@test
def kills_do_not_matter(scratch):
    run(f"{scratch}/a", "elites")
    wanted = digest(f"{scratch}/a")
    for point in ("checkpoint.written", "ledger.before", "drop"):
        for time in (2, 5):
            folder = f"{scratch}/{point}{time}"
            run(folder, "elites", "checkpoint.every=1", status=-9, env={"COPPICE_FAULT": f"kill@{point}:{time}"})
            resume(folder, ranks=2)
            check(digest(folder) == wanted, f"killed at {point} for the {time}th time, it ended elsewhere")


@test
def the_bound_stays_what_it_was(scratch):
    folder = f"{scratch}/a"
    run(folder, "elites", generations=4)
    for other in (0, 3):
        result = resume(folder, f"run.history={other}", status=78)
        lines = [line for line in result.stderr.splitlines() if "history" in line]
        check(len(lines) == 1 and "'history = 2'" in lines[0] and f"'history = {other}'" in lines[0], result.stderr)
    resume(folder, "stop.generations=9")
    run(f"{scratch}/b", "elites")
    check(digest(folder) == digest(f"{scratch}/b"), "a refused resume changed the run")


@test
def damage_is_found_and_passed_over(scratch):
    folder = f"{scratch}/a"
    run(folder, "elites", "checkpoint.every=1", "checkpoint.keep=3", generations=7)
    run(f"{scratch}/b", "elites")
    newest = f"{folder}/checkpoints/gen-000007.h5"
    with open(newest, "r+b") as f:
        f.seek(os.path.getsize(newest) // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 4]))
    result = coppice("verify", folder)
    check(result.returncode == 1 and "gen-000007.h5" in result.stderr, result.stderr)
    resume(folder, "stop.generations=9")
    check(digest(folder) == digest(f"{scratch}/b"), "from the checkpoint before it ended elsewhere")


@test
def what_is_shown_says_what_is_gone(scratch):
    folder = f"{scratch}/a"
    run(folder, "elites", history=1, generations=12)
    seen = inspect(folder)
    held, born = seen["checkpoint"]["held"], seen["checkpoint"]["individuals"]
    check(len(seen["generations"]) == 13, "a row for every generation")
    check_status(coppice("inspect", folder, "--population"), 0)
    check(f"rows of {held} are held ([run] history)" in coppice("inspect", folder).stdout, held)
    page = f"{scratch}/page.html"
    check_status(coppice("report", folder, "--out", page), 0)
    with open(page, encoding="utf-8") as f:
        text = f.read()
    check(f"Lines end at parents whose rows the run has dropped ([run] history = 1): {born} were born." in text,
          "the lineage does not say where it ends")
    for name in ("all", "again"):
        run(f"{scratch}/{name}", "elites", history=0 if name == "all" else 1, generations=12)
    check_status(coppice("compare", folder, f"{scratch}/all"), 0)
    check_status(coppice("compare", folder, f"{scratch}/again"), 0)
    check_status(coppice("evaluate", folder), 0)


@test
def it_is_explained_and_refused_where_it_means_nothing(scratch):
    result = coppice("explain", SMOKE, "--set=run.history=7")
    check_status(result, 0)
    check("those of the last 7 generations at least are remembered" in result.stdout, result.stdout)
    result = coppice("run", "configs/smoke/training.ini", "--out", f"{scratch}/t", "--set=run.history=7")
    check_status(result, 78)
    check("a run with [train] has none" in result.stderr, result.stderr)


def estimated_history(text):
    """Bytes of the line "history" of `coppice check`."""
    words = next(line.split() for line in text.splitlines() if line.startswith("  history"))
    return float(words[1]) * {"B": 1, "KiB": 2 ** 10, "MiB": 2 ** 20, "GiB": 2 ** 30}[words[2]]


@test
def the_estimate_follows(scratch):
    seen = {}
    for history in (0, 5, 10 ** 6):
        result = coppice("check", SMOKE, *sets(f"run.history={history}", "stop.generations=200000"))
        check_status(result, 0)
        seen[history] = estimated_history(result.stdout)
    check(seen[5] < 0.6 * seen[0] and seen[10 ** 6] == seen[0], seen)


if __name__ == "__main__":
    main()

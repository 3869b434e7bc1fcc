#!/usr/bin/env python3
"""kill -9 of the whole job at random moments; resumed on another number of ranks the digest is the same.

COPPICE_KILLS sets how many kills (default 4, the long form uses 20 and more)."""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SETS = ("--set", "stop.generations=60", "--set", "checkpoint.every=2", "--set", "checkpoint.keep=3")
KILLS = int(os.environ.get("COPPICE_KILLS", "4"))
SEED = int(os.environ.get("COPPICE_KILL_SEED", "1"))


@test
def killed_anywhere_it_ends_as_if_nothing_had_happened(scratch):
    env = dict(os.environ)
    env.setdefault("COPPICE_CACHE", f"{scratch}/cache")
    start = time.monotonic()
    check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", *SETS, ranks=2, env=env), 0)
    whole = time.monotonic() - start
    wanted = digest(f"{scratch}/straight")
    dice = random.Random(SEED)
    folder = f"{scratch}/killed"
    kills = finished = 0
    rounds = 0
    while kills < KILLS:
        rounds += 1
        ranks = dice.choice([1, 2, 3, 4])
        argv = ["mpirun", "--quiet", "-np", str(ranks), COPPICE, "run", CONFIG, "--out", folder, *SETS,
                "--resume", "auto", "--quiet"]
        with open(f"{scratch}/log", "a") as log:
            p = subprocess.Popen(argv, stdout=log, stderr=log, env=env, cwd=ROOT, start_new_session=True)
        deadline = time.monotonic() + dice.uniform(0.2, max(1.0, 0.8 * whole))
        while time.monotonic() < deadline and p.poll() is None:
            time.sleep(0.005)
        if p.poll() is None:
            victims = [p.pid, *children(p.pid)]
            dice.shuffle(victims)
            for victim in victims:
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            p.wait()
            kills += 1
        else:
            with open(f"{scratch}/log") as log:
                check(p.returncode == 0, f"ended with {p.returncode}: " + log.read()[-3000:])
            finished += 1
            check(digest(folder) == wanted, "a resumed run ended elsewhere")
            shutil.rmtree(folder)
        check(rounds < 20 * KILLS + 20, "the runs end before they can be killed")
    result = coppice("run", CONFIG, "--out", folder, *SETS, "--resume", "auto", ranks=5, env=env)
    check_status(result, 0)
    check(digest(folder) == wanted, "the run ended elsewhere after the last kill")
    print(f"# {kills} kills in {rounds} starts, {finished} runs finished between them (seed {SEED})")


if __name__ == "__main__":
    main()

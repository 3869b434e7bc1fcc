#!/usr/bin/env python3
"""Run directories on file systems that lack something: locks, or renaming over a file. A library put before libc plays them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SETS = ("--set", "stop.generations=8", "--set", "checkpoint.every=2", "--quiet")
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int flock(int fd, int operation) {
    (void)fd, (void)operation;
    errno = getenv("NO_LOCKS") ? atoi(getenv("NO_LOCKS")) : 0;
    return errno ? -1 : 0;
}
int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *);
    void *symbol = dlsym(RTLD_NEXT, "rename");
    memcpy(&real, &symbol, sizeof real);
    if (getenv("NO_RENAME") && access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return real(from, to);
}
"""


def library(scratch):
    if os.environ.get("ASAN_OPTIONS"):
        raise Skip("the sanitizer wants to be the first library")
    with open(f"{scratch}/lacks.c", "w") as f:
        f.write(LIBRARY)
    made = subprocess.run(["gcc", "-shared", "-fPIC", "-o", f"{scratch}/lacks.so", f"{scratch}/lacks.c", "-ldl"], capture_output=True, text=True)
    if made.returncode:
        raise Skip("gcc cannot make a library here")
    return {"LD_PRELOAD": f"{scratch}/lacks.so"}


@test
def without_locks_a_run_warns_and_ends_as_it_should(scratch):
    env = library(scratch)
    check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", *SETS), 0)
    wanted = digest(f"{scratch}/straight")
    for number in (37, 38, 95):  # ENOLCK, ENOSYS, EOPNOTSUPP
        out = f"{scratch}/run-{number}"
        result = coppice("run", CONFIG, "--out", out, *SETS, "--set", "stop.generations=4", env=dict(env, NO_LOCKS=str(number)))
        check_status(result, 0)
        check("no file locks here; make sure that only one run uses it" in result.stderr, result.stderr)
        check_status(coppice("resume", out, "--set", "stop.generations=8", "--quiet", ranks=2, env=dict(env, NO_LOCKS=str(number))), 0)
        check(digest(out) == wanted, "the run ended elsewhere")


@test
def without_renaming_a_run_is_refused_at_its_start(scratch):
    env = dict(library(scratch), NO_RENAME="1")
    for ranks in (0, 2):
        result = coppice("run", CONFIG, "--out", f"{scratch}/run", *SETS, ranks=ranks, env=env)
        check_status(result, 1)
        check(result.stderr.count("cannot be replaced by renaming here") == 1 and "epoch" not in result.stderr, result.stderr)
    check(not os.path.exists(f"{scratch}/run/ledger.jsonl"), "a run was begun")


if __name__ == "__main__":
    main()

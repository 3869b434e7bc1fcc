"""TAP and coppice for test scripts: `from tap import *` after adding tests/support to sys.path."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.environ.get("COPPICE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COPPICE_BUILD") or os.path.join(ROOT, "build")
COPPICE = os.path.join(BUILD, "coppice")
_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def test(function):
    """Decorator: a test that takes a scratch folder."""
    _tests.append(function)
    return function


def coppice(*args, ranks=0, env=None, cwd=None, timeout=300, launch=None):
    """Run coppice (under mpirun when ranks > 0); the CompletedProcess with text output."""
    argv = [COPPICE, *map(str, args)]
    if ranks:
        argv = [os.environ.get("MPIRUN", "mpirun"), "--quiet", "-np", str(ranks), *argv]
    if launch:
        argv = launch
    full = dict(os.environ)
    full.setdefault("COPPICE_CACHE", os.path.join(tempfile.gettempdir(), f"coppice-test-cache-{os.getuid()}"))
    full.update(env or {})
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", env=full, cwd=cwd or ROOT,
                          stdin=subprocess.DEVNULL, timeout=timeout)


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_status(result, status):
    check(result.returncode == status,
          f"exit status {result.returncode} instead of {status}\n--- stdout\n{result.stdout[-3000:]}\n--- stderr\n{result.stderr[-3000:]}")


def digest(folder):
    """The digest that `coppice verify` prints, which also proves that no file is damaged."""
    result = coppice("verify", folder)
    check_status(result, 0)
    lines = [line for line in result.stdout.splitlines() if line.startswith("digest ")]
    check(len(lines) == 1, f"one digest line expected:\n{result.stdout}")
    return lines[0].split()[1]


def changed_and_sealed(file, name, change):
    """A copy of a sealed HDF5 file with what change(h5py.File) did to it, sealed again (docs/formats/network.md)."""
    import h5py

    with open(file, "rb") as f:
        seal, rest = f.read(512), f.read()
    with open(name, "wb") as f:
        f.write(rest)
    with h5py.File(name, "r+") as f:
        change(f)
    with open(name, "rb") as f:
        rest = f.read()
    text = f"coppice sealed HDF5, version 1\nbytes {len(rest)}\nsha256 {hashlib.sha256(rest).hexdigest()}\n".encode()
    with open(name, "wb") as f:
        f.write(text + seal[len(text):] + rest)


def result_of(folder):
    """What the run in `folder` came to, as its run.json says."""
    with open(f"{folder}/run.json", encoding="utf-8") as f:
        return json.load(f)["result"]


def start_and_kill(config, folder, pauses, *words):
    """Begin a run, or go on with it, once for each of `pauses`, and kill it so many seconds later."""
    for pause in pauses:
        p = subprocess.Popen([COPPICE, "run", config, "--out", folder, *words, "--resume", "auto", "--quiet"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        time.sleep(pause)
        p.kill()
        p.wait()


def children(pid):
    """All descendants: mpirun's ranks are in sessions of their own."""
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as f:
                    kids = [int(k) for k in f.read().split()]
                found += kids
                todo += kids
        except OSError:
            pass
    return found


def main():
    # behind '&' a shell starts programs with Ctrl-C ignored, and they pass it on to all that they start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"1..{len(_tests)}", flush=True)
    failed = 0
    for number, function in enumerate(_tests, 1):
        scratch = tempfile.mkdtemp(prefix="coppice-test-")
        try:
            function(scratch)
            print(f"ok {number} - {function.__name__}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {function.__name__} # SKIP {reason}", flush=True)
        except Exception:  # noqa: BLE001  whatever went wrong, the next tests still run
            failed += 1
            print(f"not ok {number} - {function.__name__}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failed else 0)

#!/usr/bin/env python3
"""A sweep finds what its runs find alone, on any number of ranks, killed or stopped or not; a run that fails
harms no other."""
import csv
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
OTHER = "configs/smoke/similarity.ini"
FEW = ["--set", "stop.generations=3", "--no-figures"]


def sweep(*words, status=0, **kw):
    result = coppice("sweep", *words, **kw)
    check_status(result, status)
    return result


def record(folder):
    with open(f"{folder}/sweep.json", encoding="utf-8") as f:
        return json.load(f)


def states(folder):
    return {(r["arm"], r["seed"]): r["status"] for r in record(folder)["runs"]}


def rows(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def digests(folder):
    return {(r["arm"], r["seed"]): r["digest"] for r in rows(f"{folder}/runs.csv")}


def start(scratch, ranks, *words):
    env = dict(os.environ, COPPICE_CACHE=f"{scratch}/cache")
    return subprocess.Popen(["mpirun", "--quiet", "-np", str(ranks), COPPICE, "sweep", *words], cwd=ROOT, env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def wait_for(process, condition, what):
    deadline = time.monotonic() + 120
    while not condition():
        check(time.monotonic() < deadline and process.poll() is None, f"never seen: {what}")
        time.sleep(0.01)


@test
def runs_of_a_sweep_are_the_runs_one_would_make(scratch):
    alone = {}
    for seed in ("1", "4"):
        for arm, config in (("padawann", CONFIG), ("other", OTHER)):
            out = f"{scratch}/{arm}{seed}"
            check_status(coppice("run", config, "--out", out, "--set", f"run.seed={seed}", *FEW[:2]), 0)
            alone[arm, seed] = digest(out)
    for ranks, per_run in ((0, 1), (4, 1), (5, 2)):
        out = f"{scratch}/s{ranks}-{per_run}"
        result = sweep(CONFIG, f"other={OTHER}", "--seeds", "1,4", "--out", out, "--ranks-per-run", per_run, *FEW,
                       ranks=ranks)
        check(digests(out) == alone, f"{ranks} ranks, {per_run} a run: {digests(out)} instead of {alone}")
        check(result.stderr.count(" finished: fitness ") == 4, result.stderr)
        check("kernel" not in result.stderr and "gen " not in result.stderr, "runs speak on the screen:\n" + result.stderr)
        check(result.stdout.count("padawann") == 1, "runs print:\n" + result.stdout)
    check(digest(f"{out}/other/seed-4") == alone["other", "4"], "verify")


@test
def a_killed_sweep_goes_on(scratch):
    words = [CONFIG, f"other={OTHER}", "--seeds", "1-3", "--out", f"{scratch}/a", "--set", "stop.generations=25",
             "--set", "checkpoint.every=2", "--no-figures"]
    for wanted in (1, 3):
        p = start(scratch, 3, *words)
        wait_for(p, lambda: os.path.exists(f"{scratch}/a/sweep.json") and
                 list(states(f"{scratch}/a").values()).count("finished") >= wanted, f"{wanted} finished runs")
        for victim in [p.pid, *children(p.pid)]:
            os.kill(victim, signal.SIGKILL)
        p.wait()
    check("running" in states(f"{scratch}/a").values(), "nothing was broken off")
    before = {path: os.stat(f"{scratch}/a/{path[0]}/seed-{path[1]}/run.json").st_mtime_ns
              for path, state in states(f"{scratch}/a").items() if state == "finished"}
    time.sleep(0.1)
    result = sweep(f"{scratch}/a", "--no-figures", ranks=3)
    check(set(states(f"{scratch}/a").values()) == {"finished"}, str(states(f"{scratch}/a")))
    for path, then in before.items():
        check(os.stat(f"{scratch}/a/{path[0]}/seed-{path[1]}/run.json").st_mtime_ns == then, f"{path} was run again")
    check(f"sweep of 6 runs, {len(before)} of them finished" in result.stderr, result.stderr)
    words[words.index(f"{scratch}/a")] = f"{scratch}/b"
    sweep(*words, ranks=4)
    check(digests(f"{scratch}/a") == digests(f"{scratch}/b"), "the killed sweep found something else")


@test
def a_stopped_sweep_goes_on(scratch):
    words = [CONFIG, "--seeds", "1-3", "--out", f"{scratch}/a", "--set", "stop.generations=100000", "--no-figures"]

    def under_way():
        return all(os.path.exists(f"{scratch}/a/padawann/seed-{s}/metrics.jsonl") for s in (1, 2))
    p = start(scratch, 3, *words)
    wait_for(p, under_way, "runs under way")
    p.send_signal(signal.SIGUSR1)
    check(p.wait(timeout=120) == 75, f"after a signal: {p.returncode}")
    check(list(states(f"{scratch}/a").values()) == ["stopped", "stopped", "waiting"], str(states(f"{scratch}/a")))
    check(record(f"{scratch}/a")["status"] == "stopped", "status")
    p = start(scratch, 3, f"{scratch}/a", "--no-figures")
    length = os.path.getsize(f"{scratch}/a/padawann/seed-1/metrics.jsonl")
    wait_for(p, lambda: os.path.getsize(f"{scratch}/a/padawann/seed-1/metrics.jsonl") > length, "going on")
    with open(f"{scratch}/a/stop", "w", encoding="utf-8"):
        pass
    check(p.wait(timeout=120) == 75, f"after a file: {p.returncode}")
    result = sweep(f"{scratch}/a", "--no-figures", "--time-limit", "1", ranks=2, status=75)
    check("go on with: coppice sweep" in result.stderr, result.stderr)


@test
def a_run_that_fails_harms_no_other(scratch):
    out = f"{scratch}/a"
    os.makedirs(f"{out}/padawann")
    with open(f"{out}/padawann/seed-2", "w", encoding="utf-8") as f:
        f.write("in the way")
    words = [CONFIG, "--seeds", "1-3", "--out", out, *FEW]
    for ranks in (3, 0):
        result = sweep(*words, ranks=ranks, status=1)
        check("error: 1 of 3 runs failed; arm padawann, seed 2: " in result.stderr, result.stderr)
        check("a file of that name is in the way" in result.stderr, result.stderr)
        check(states(out) == {("padawann", 1): "finished", ("padawann", 2): "failed", ("padawann", 3): "finished"},
              str(states(out)))
        check("failed: padawann seed 2: " in result.stdout and len(rows(f"{out}/runs.csv")) == 2, result.stdout)
    os.remove(f"{out}/padawann/seed-2")
    sweep(*words, ranks=2)
    check(set(states(out).values()) == {"finished"}, str(states(out)))
    # a worker that cannot evaluate ends its run, not the sweep
    result = sweep(CONFIG, "--seeds", "1-2", "--out", f"{scratch}/b", "--ranks-per-run", "2", *FEW, ranks=3, status=1,
                   env={"COPPICE_FAULT": "evaluate:7"})
    check(set(states(f"{scratch}/b").values()) == {"failed"} and "2 of 2 runs failed" in result.stderr, result.stderr)
    sweep(f"{scratch}/b", *FEW[2:], ranks=3)


@test
def a_base_network_is_trained_once(scratch):
    out = f"{scratch}/a"
    sweep(CONFIG, "--seeds", "1-4", "--out", out, "--set", "base.epochs=12", *FEW, ranks=5,
          env={"COPPICE_CACHE": f"{scratch}/cache"})
    logs = []
    for seed in range(1, 5):
        with open(f"{out}/padawann/seed-{seed}/log", encoding="utf-8") as f:
            logs.append(f.read())
    check(sum("base network: training" in log for log in logs) == 1, "\n".join(logs))
    check(sum("found in the cache" in log for log in logs) == 3, "\n".join(logs))
    check([n for n in os.listdir(f"{scratch}/cache") if not n.endswith(".h5")] == [], "leftovers in the cache")


@test
def seeds_arms_and_generations_may_be_added(scratch):
    out = f"{scratch}/a"
    sweep(CONFIG, "--seeds", "1-2", "--out", out, *FEW)
    first = digests(out)
    with open(f"{scratch}/two.sweep", "w", encoding="utf-8") as f:
        f.write(f"[sweep]\nseeds = 1-3\n[arm.padawann]\nconfig = {ROOT}/{CONFIG}\nset = stop.generations=3\n"
                f"[arm.wide]\nconfig = {ROOT}/{CONFIG}\nset = stop.generations=3 population.size=8\n"
                "      evaluate.values=1, 2 select.size=2\n")
    result = sweep(f"{scratch}/two.sweep", "--out", out, "--no-figures", ranks=3)
    check("sweep of 6 runs, 2 of them finished" in result.stderr, result.stderr)
    check(len(digests(out)) == 6 and all(digests(out)[k] == v for k, v in first.items()), str(digests(out)))
    with open(f"{out}/wide/seed-3/config.ini", encoding="utf-8") as f:
        text = f.read()
    check("values = 1, 2\n" in re.sub(" +", " ", text) and "size = 8\n" in re.sub(" +", " ", text), text)
    result = sweep(out, "--set", "stop.generations=4", "--seeds", "1", "--no-figures")
    check("runs of wide ended after different numbers of generations, 3 to 4" in result.stdout, result.stdout)
    runs = {(r["arm"], r["seed"]): r["generations"] for r in rows(f"{out}/runs.csv")}
    check(runs == {(a, s): "4" if s == "1" else "3" for a in ("padawann", "wide") for s in "123"}, str(runs))


@test
def what_is_refused_changes_nothing(scratch):
    out = f"{scratch}/a"
    sweep(CONFIG, f"other={OTHER}", "--seeds", "1-2", "--out", out, *FEW)

    def configs():
        return [open(f"{out}/{arm}/config.ini", encoding="utf-8").read() for arm in ("padawann", "other")]
    before = configs()
    for words, message in (((f"padawann={CONFIG}", f"other={CONFIG}", "--seeds", "1-2"), "other is another experiment"),
                           ((CONFIG, "--seeds", "1-2", "--set", "select.size=2"), "padawann is another experiment")):
        result = sweep(*words, "--out", out, "--set", "stop.generations=9", "--no-figures", status=78)
        check(message in result.stderr, result.stderr)
    with open(f"{out}/sweep.json", encoding="utf-8") as f:
        record = json.load(f)
    record["runs"] = []
    with open(f"{out}/sweep.json", "w", encoding="utf-8") as f:
        json.dump(record, f)
    result = sweep(CONFIG, "--out", out, "--set", "stop.generations=9", "--no-figures", status=64)
    check("no seeds" in result.stderr and configs() == before, "a configuration was changed: " + result.stderr)


@test
def figures_that_cannot_be_are_missed_alone(scratch):
    if not shutil.which("gnuplot"):
        raise Skip("no gnuplot")
    out = f"{scratch}/\udcff '$(x)' dir"  # no UTF-8, and all that shells and gnuplot read as something else
    words = (CONFIG, "training=configs/smoke/training.ini", "--seeds", "1-2", "--out", out)
    result = sweep(*words, *FEW[:2])
    check("figures: 6, as SVG and PNG" in result.stdout and result.stderr.count("warning") == 0, result.stderr)
    drawn = sorted(name for name in os.listdir(f"{out}/figures") if name.endswith(".png"))
    check(drawn == ["arms.png", "confusion-padawann-digits.png", "confusion-padawann-letters.png",
                    "confusion-training-clusters.png", "curves-padawann.png", "curves-training.png"], drawn)
    shutil.rmtree(f"{out}/figures")
    os.mkdir(f"{out}/figures")
    with open(f"{out}/figures/a.gp", "w", encoding="utf-8") as f:
        f.write("plot nonsense(\n")
    os.remove(f"{out}/padawann/seed-1/metrics.jsonl")
    for seed in (1, 2):
        with open(f"{out}/padawann/seed-{seed}/best.h5", "w", encoding="utf-8") as f:
            f.write("damaged")
    result = sweep(*words, *FEW[:2])
    check("figures: 4, as SVG and PNG" in result.stdout, result.stdout + result.stderr)
    for line in ("left out of the curves: ", "no confusion matrices of arm padawann: ", "gnuplot cannot draw "):
        check(result.stderr.count(line) == 1, f"{line}: {result.stderr}")


@test
def curves_of_trainings_are_what_every_epoch_left(scratch):
    out = f"{scratch}/a"
    sweep("configs/smoke/training.ini", "rbm=configs/smoke/rbm.ini", "--seeds", "1-2", "--out", out)

    def column(name, seed):
        with open(f"{out}/figures/{name}.tsv", encoding="utf-8") as f:
            lines = f.read().splitlines()
        check(lines[0] == "# epoch\tmean\tsd\tseed 1\tseed 2", lines[0])
        data = [line.split("\t") for line in lines[1:]]
        check([int(d[0]) for d in data] == list(range(1, len(data) + 1)), data)
        return [float(d[2 + seed]) for d in data]
    for arm, names in (("training", ("accuracy", "validation_accuracy", "test_accuracy", "loss", "test_loss", "edges")),
                       ("rbm", ("loss", "test_loss", "edges"))):
        check({n for n in os.listdir(f"{out}/figures") if n.startswith(arm + "-") and n.endswith(".tsv")} ==
              {f"{arm}-{name}.tsv" for name in names}, os.listdir(f"{out}/figures"))
        for seed in (1, 2):
            with open(f"{out}/{arm}/seed-{seed}/metrics.jsonl", encoding="utf-8") as f:
                lines = [json.loads(line) for line in f]
            for name in names:
                scale = 100 if name.endswith("accuracy") else 1
                check(column(f"{arm}-{name}", seed) == [float(f"{scale * line[name]:.8g}") for line in lines], f"{arm} {name}")
    for script, plots in (("curves-training", ("'accuracy, %'", "test_accuracy.tsv", "'loss'", "'edges'")),
                          ("curves-rbm", ("test_loss.tsv", "'edges'")), ("arms", ("rbm-edges.tsv", "training-edges.tsv"))):
        with open(f"{out}/figures/{script}.gp", encoding="utf-8") as f:
            text = f.read()
        check(all(word in text for word in (*plots, "'epoch'")) and "best so far" not in text, text)


@test
def classes_may_have_any_name(scratch):
    names = ["it's", 'a "q"', "%s %d 50%", "<b>&amp;", "\u00fc{x}_^@", "back\\slash", "`date`", "$(id)"]
    with open(f"{scratch}/t.csv", "w", encoding="utf-8", newline="") as f:
        table = csv.writer(f)
        table.writerow(["a", "b", "label"])
        for i in range(160):
            table.writerow([i % 8 + i / 1e3, i * i % 7, names[i % 8]])
    with open(f"{scratch}/c.ini", "w", encoding="utf-8") as f:
        f.write(f"include = {ROOT}/configs/base/ga.ini\n[task.t]\nsource = csv\nfile = {scratch}/t.csv\nlabel = label\n"
                "holdout = 0.3\n[network]\ninput = 2\nlayers = dense(8) relu dense(8)\n[population]\nsize = 4\n"
                "[select]\nsize = 2\n[stop]\ngenerations = 1\n")
    result = sweep(f"{scratch}/c.ini", "--seeds", "1", "--out", f"{scratch}/a")
    check("gnuplot cannot" not in result.stderr, result.stderr)
    if not shutil.which("gnuplot"):
        raise Skip("no gnuplot")
    root = xml.etree.ElementTree.parse(f"{scratch}/a/figures/confusion-c-t.svg").getroot()
    drawn = {"".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")}
    check(set(names) <= drawn, f"{names}: {drawn}")


@test
def tables_hold_what_the_runs_found(scratch):
    import numpy  # as the other readers of results do
    out = f"{scratch}/a"
    sweep(CONFIG, f"other={OTHER}", "--seeds", "2-5", "--out", out, *FEW, ranks=3)
    runs, table = rows(f"{out}/runs.csv"), rows(f"{out}/table.csv")
    for r in runs:
        result = result_of(f"{out}/{r['arm']}/seed-{r['seed']}")
        check(abs(float(r["fitness"]) - result["best_ever"]) < 1e-9 and int(r["edges"]) == result["edges"], str(r))
        for task in ("digits", "letters"):
            for column, key in (("evolution", "best_evolve"), ("test", "best_test")):
                check(abs(float(r[f"accuracy.{task}.{column}"]) - result["tasks"][task][key]["accuracy"]) < 1e-7, str(r))
    check({(t["arm"], t["measure"]) for t in table} >=
          {(a, m) for a in ("padawann", "other") for m in ("fitness", "edges", "accuracy.digits.test")}, str(table))
    for t in table:
        values = [float(r[t["measure"]]) for r in runs if r["arm"] == t["arm"]]
        wanted = (len(values), numpy.mean(values), numpy.std(values, ddof=1), numpy.std(values), min(values), max(values))
        seen = [float(t[k]) for k in ("seeds", "mean", "sd_sample", "sd_population", "least", "most")]
        check(numpy.allclose(seen, wanted, rtol=1e-7), f"{t} {wanted}")
    with open(f"{out}/table.txt", encoding="utf-8") as f:
        check("sample standard deviation, n - 1" in f.read(), "the table does not say which deviation it shows")


@test
def figures_are_drawn_or_one_line_says_why_not(scratch):
    out = f"{scratch}/a"
    words = [CONFIG, "--seeds", "1-2", "--out", out, *FEW[:2]]
    nowhere = f"{scratch}/bin"  # all programs but gnuplot: starting MPI looks for some
    os.mkdir(nowhere)
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if not name.startswith("gnuplot") and not os.path.lexists(f"{nowhere}/{name}"):
                os.symlink(f"{folder}/{name}", f"{nowhere}/{name}")
    result = sweep(*words, env={"PATH": nowhere})
    lines = [line for line in result.stderr.splitlines() if "gnuplot" in line]
    check(len(lines) == 1 and "gnuplot is not installed" in lines[0], result.stderr)
    if not shutil.which("gnuplot"):
        raise Skip("no gnuplot")
    result = sweep(*words)
    names = ["arms", "curves-padawann", "confusion-padawann-digits", "confusion-padawann-letters"]
    check(f"figures: {len(names)}, as SVG and PNG" in result.stdout, result.stdout)
    for name in names:
        text = xml.etree.ElementTree.parse(f"{out}/figures/{name}.svg")
        check(text.getroot().tag.endswith("svg"), name)
        with open(f"{out}/figures/{name}.png", "rb") as f:
            check(f.read(8) == b"\x89PNG\r\n\x1a\n", f"{name}.png")
    with open(f"{out}/figures/padawann-fitness.tsv", encoding="utf-8") as f:
        data = [line.split("\t") for line in f if not line.startswith("#")]
    runs = rows(f"{out}/runs.csv")
    check(len(data) == 4 and [float(v) for v in data[-1][3:]] ==
          [float(f"{float(r['fitness']):.8g}") for r in runs], f"{data} {runs}")
    with open(f"{out}/figures/padawann-edges.tsv", encoding="utf-8") as f:
        last = f.read().splitlines()[-1].split("\t")
    check([float(v) for v in last[3:]] == [float(r["edges"]) for r in runs], f"{last} {runs}")
    with open(f"{out}/figures/confusion-padawann-letters.tsv", encoding="utf-8") as f:
        cells = [line.split("\t") for line in f if not line.startswith("#")]
    check(len(cells) == 100 and sum(int(c[2]) for c in cells) == 200, "the test samples of ten letters")


@test
def what_cannot_be_swept_is_refused_before_anything_is_made(scratch):
    out = f"{scratch}/a"

    def refused(status, part, *words, ranks=0):
        result = sweep(*words, status=status, ranks=ranks)
        check(part in result.stderr and result.stderr.count("\n") == 1, result.stderr)
        check(not os.path.exists(out), "a folder was made")
    refused(64, "--out DIR is missing", CONFIG, "--seeds", "1")
    refused(64, "no seeds", CONFIG, "--out", out)
    refused(64, "seeds '3-1'", CONFIG, "--out", out, "--seeds=3-1")
    refused(64, "two arms would be called padawann", CONFIG, f"padawann={OTHER}", "--seeds", "1", "--out", out)
    refused(64, "cannot be the name of an arm", f"a b={OTHER}", "--seeds", "1", "--out", out)
    refused(64, "groups of 3 ranks want at least 4 ranks", CONFIG, "--seeds", "1", "--out", out, "-r3", ranks=3)
    refused(64, "given by --seeds", CONFIG, "--seeds", "1", "--out", out, "--set", "run.seed=3")
    refused(78, "arm padawann: ", CONFIG, "--seeds", "1", "--out", out, "--set", "select.op=tornament")
    refused(1, "nowhere.ini", CONFIG, "nowhere.ini", "--seeds", "1", "--out", out)
    with open(f"{scratch}/bad.sweep", "w", encoding="utf-8") as f:
        f.write(f"[arm.a]\nconfig = {ROOT}/{CONFIG}\nset = population.sise=3\n")
    refused(78, "[arm.a]: --set: [population] has no key 'sise'; did you mean 'size'?", f"{scratch}/bad.sweep", "--seeds",
            "1", "--out", out)
    sweep(CONFIG, "--seeds", "1", "--out", out, *FEW)
    before = digests(out)
    result = sweep(CONFIG, "--seeds", "1-2", "--out", out, "--set", "select.size=2", *FEW, status=78)
    check("another experiment" in result.stderr and digests(out) == before, result.stderr)


main()

#!/usr/bin/env python3
"""The command line from outside: help, version, refusals, list, check, explain; status and streams."""
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.environ.get("COPPICE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.environ.get("COPPICE_BUILD") or os.path.join(ROOT, "build"), "coppice")
SCRATCH = tempfile.TemporaryDirectory()
CONFIG = os.path.join(SCRATCH.name, "small.ini")
BASE = """[network]
input = 1x28x28
layers = conv2d(4,3) relu maxpool(2) dense(16) relu dense(10)
[task.digits]
source = glyphs-digits
evolve_per_class = 5
train_per_class = 6
[evaluate]
batch = 10
shard = 20
[population]
size = 10
[stop]
generations = 3
"""
tests = []


def test(function):
    tests.append(function)
    return function


def run(*words, launcher=(), **kw):
    env = {k: v for k, v in os.environ.items() if k != "COPPICE_DATA"}
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1")
    kw.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([*launcher, PROGRAM, *words], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True, env=env, timeout=120, check=False, **kw)


def same(seen, wanted):
    assert seen == wanted, f"{seen!r} is not {wanted!r}"


def holds(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def refused(status, part, *words, **kw):
    """One line on stderr that holds `part`, nothing on stdout, that exit status."""
    p = run(*words, **kw)
    holds(p.stderr, part)
    same((p.returncode, p.stdout), (status, ""))
    same(p.stderr.count("\n"), 1)
    assert p.stderr.startswith("coppice: error: "), p.stderr


def write(name, text):
    path = os.path.join(SCRATCH.name, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def commands():
    return re.findall(r"^  (\w+) {2,}\S", run("help").stdout.split("Options of every")[0], re.M)


def flags(command):
    return re.findall(r"^  (?:-\w, |    )--([\w-]+)", run("help", command).stdout, re.M)


@test
def no_words_give_a_short_usage_on_stderr():
    p = run()
    same((p.returncode, p.stdout), (64, ""))
    holds(p.stderr, "usage: coppice COMMAND")


@test
def help_is_on_stdout_and_the_same_in_all_spellings():
    assert len(commands()) >= 4, commands()
    same(run("help").stdout, run("--help").stdout)
    for command in commands():
        first = run("help", command)
        holds(first.stdout, f"usage: coppice {command}")
        for words in ((command, "--help"), (command, "-h"), ("--help", command)):
            p = run(*words)
            same((p.returncode, p.stdout, p.stderr), (0, first.stdout, ""))


@test
def version_names_build_and_libraries():
    p = run("--version")
    same((p.returncode, p.stdout), (0, run("check", "-V").stdout))
    for part in ("coppice ", "compiler ", "flags ", "MPI ", "HDF5 ", "BLAS ", "kernel "):
        holds("\n" + p.stdout, "\n" + part)


@test
def wrong_words_are_refused_with_the_nearest():
    refused(64, "there is no command 'chek'; did you mean 'check'?", "chek", "x.ini")
    refused(64, "there is no command 'frobnicate'; 'coppice help' shows all", "frobnicate")
    refused(64, "check: there is no option --dta; did you mean --data?", "check", "x", "--dta=1")
    refused(64, "check: there is no option -z", "check", "-z")
    refused(64, "check: --data needs a value: --data=DIR", "check", "x.ini", "--data")
    refused(64, "check: --data needs a value", "check", "x.ini", "-d")
    refused(64, "check: --no-data takes no value", "check", "x.ini", "--no-data=1")
    refused(64, "check: CONFIG is missing; usage: coppice check CONFIG", "check")
    refused(64, "check: 'b' is one word too many", "check", "a", "b")
    refused(64, "help: give one of", "help", "--man", "check")
    refused(64, "help: give one of", "help", "--markdown")
    refused(64, "there is no command 'lst'", "help", "lst")
    refused(64, "'layer'; did you mean 'layers'?", "list", "layer")
    refused(64, "there is no option --frob", "--frob")
    refused(1, "--help: cannot be read", "check", "--", "--help")


@test
def several_ranks_say_it_once():
    launcher = [os.environ.get("MPIRUN", "mpirun"), "--quiet", "-np", "3"]
    refused(64, "did you mean 'list'?", "lits", launcher=launcher)
    path = write("wrong.ini", BASE + "[pool]\nelite = 2\n")
    refused(78, "wrong.ini:16: [pool] elite = 2: not in 0..1", "check", path, launcher=launcher)
    p = run("list", "evaluators", launcher=launcher)
    same((p.returncode, p.stdout, p.stderr), (0, run("list", "evaluators").stdout, ""))


@test
def lost_output_is_a_failure():
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w", encoding="utf-8") as full:
            p = run("help", stdout=full)
        same(p.returncode, 1)
        holds(p.stderr, "standard output cannot be written: No space")
    # a closed stream must not lend its number to a file of the run
    for words in ("help", f"run '{CONFIG}' --set=base.epochs=0 --out='{SCRATCH.name}/closed'"):
        p = run(launcher=["sh", "-c", f'exec "$0" {words} >&-'])
        same(p.returncode, 1)
        holds(p.stderr, "standard output cannot be written")


@test
def the_man_page_and_completion_hold_every_command_and_flag():
    man, completion = run("help", "--man").stdout, run("help", "--completion").stdout
    for command in commands():
        holds(man, f'.SS "{command}')
        holds(completion, f"    {command}) flags=")
        for flag in flags(command):
            holds(man.replace("\\-", "-"), f"--{flag}")
            holds(completion, f"--{flag}")
    if shutil.which("groff"):
        p = subprocess.run(["groff", "-ww", "-man", "-Tascii"], input=man, text=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, check=False)
        same((p.returncode, p.stderr), (0, ""))
    script = completion + """
compopt() { :; }
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _coppice; echo "${COMPREPLY[@]}"; }
complete_line coppice ch
complete_line coppice check --print
complete_line coppice check x.ini --set population.s
"""
    p = subprocess.run(["bash", "-c", script], text=True, capture_output=True, check=False)
    same((p.stdout, p.stderr), ("check\n--print-config\npopulation.size=\n", ""))


@test
def lists_come_from_the_registries():
    everything = run("list").stdout
    for what, part in (("operators", "tournament"), ("tasks", "glyphs-digits"), ("layers", "conv2d("),
                       ("optimisers", "adam"), ("evaluators", "reference"), ("options", "[population]")):
        p = run("list", what)
        same((p.returncode, p.stderr), (0, ""))
        holds(p.stdout, part)
        holds(everything, p.stdout)
        long = [line for line in p.stdout.splitlines() if len(line) > 80]
        same(long, [])
    same(run("list", "options").stdout, run("help", "--config").stdout)


@test
def check_says_what_a_search_needs():
    p = run("check", CONFIG)
    same((p.returncode, p.stderr), (0, ""))
    # 4*9 + 4*13*13*16 + 16*10 edges; those of the convolution are used 26*26 times
    holds(p.stdout, "11012 edges, 30 biases, 35312 multiply-adds per sample")
    holds(p.stdout, "digits: 50 samples, 10 classes")
    # elite 0.3 of 10: 7 children a generation
    holds(p.stdout, "10 individuals, 3 generations, at most 31 evaluations")
    holds(p.stdout, "31 evaluations x 50 samples x 3 shared values")
    holds(p.stdout, "checkpoint     at most ")
    holds(p.stdout, "trained on 60 samples")
    p = run("check", CONFIG, "--set", "stop.evaluations=30", "-sevaluate.values=1")
    holds(p.stdout, "10 individuals, 2 generations, at most 24 evaluations")
    holds(p.stdout, "24 evaluations x 50 samples x 1 shared value,")
    # batches of 50 drawn from 400 of the 600: one a generation, four in the end
    p = run("check", os.path.join(ROOT, "configs/smoke/ecomp.ini"))
    holds(p.stdout, "%.3g multiply-adds: 108 evaluations x 50 samples x 1 shared value," % ((108 * 50 + 12 * 200) * 32860))
    holds(p.stdout, "and the last population again: 12 x 200 samples")
    p = run("check", "--no-data", CONFIG, "--set=task.digits.source=idx")
    same((p.returncode, p.stderr), (0, ""))
    holds(p.stdout, "not known without the data")


@test
def the_checkpoint_is_no_larger_than_check_says():
    size, unit = re.search(r"^checkpoint +at most ([0-9.]+) (\w+)$", run("check", CONFIG).stdout, re.M).groups()
    bound = (float(size) + 0.05) * {"KiB": 1024, "MiB": 1024**2}[unit]
    out = os.path.join(SCRATCH.name, "run")
    p = run("run", CONFIG, "--out", out, "--set=base.epochs=0")
    same(p.returncode, 0)
    sizes = [os.path.getsize(os.path.join(out, "checkpoints", n)) for n in os.listdir(os.path.join(out, "checkpoints"))]
    assert sizes and bound / 3 < max(sizes) <= bound, f"{sizes} bytes, announced {size} {unit}"


@test
def check_looks_at_the_file_of_the_base_network():
    p = run("check", CONFIG, f"--set=base.file={SCRATCH.name}/none.h5")
    same(p.returncode, 0)
    holds(p.stdout, "none.h5 is not there, and is made")
    refused(1, "not an HDF5 file", "check", CONFIG, f"--set=base.file={CONFIG}")


@test
def resume_says_what_is_wrong_and_what_is_left():
    out = os.path.join(SCRATCH.name, "resumed")
    sets = ("--set=stop.generations=1", "--set=base.epochs=0", f"--set=base.file={SCRATCH.name}/base.h5")
    p = run("run", CONFIG, "--out", out, "-q", *sets)
    same(p.returncode, 0)
    holds(p.stderr, "base.h5 is not there; it is trained and stored there")
    holds(run("check", CONFIG, sets[2]).stdout, f"read from {SCRATCH.name}/base.h5")
    holds(run("resume", out).stderr, "nothing was left to do")
    p = run("resume", out, "--set=population.size=12")
    same(p.returncode, 78)
    holds(p.stderr, "run with [population] 'size = 10', now 'size = 12' is asked for")
    (checkpoint,) = os.listdir(os.path.join(out, "checkpoints"))
    with open(os.path.join(out, "checkpoints", checkpoint), "r+b") as f:
        f.seek(9000)
        f.write(b"damage")
    holds(run("inspect", out).stdout, "no checkpoint is undamaged")
    os.remove(os.path.join(out, "ledger.jsonl"))
    refused(1, "holds no run to resume", "resume", out)


@test
def every_command_refuses_alike():
    """64: the command line itself; 1: an input that is not there or is something else; 78: what a configuration says."""
    for command in ("run", "check", "explain"):
        for assignment in ("population", "a=b", "population.size", "population.=3", ".size=3", ""):
            refused(64, f"--set {assignment}: not of the form section.key=value", command, CONFIG, "--set", assignment)
        refused(78, "--set: [population] size = x: not a whole number", command, CONFIG, "--set=population.size=x")
        refused(1, "nowhere.ini: cannot be read: No such file", command, "nowhere.ini")
    out = os.path.join(SCRATCH.name, "refusals")
    same(run("run", CONFIG, "--out", out, "-q", "--set=base.epochs=0", "--set=stop.generations=1").returncode, 0)
    refused(64, "--set population: not of the form", "resume", out, "--set=population")
    refused(64, "--set population: not of the form", "data", "show", "glyphs-digits", "--set=population")
    refused(1, "nowhere.ini: cannot be read", "data", "show", "x", "--config", "nowhere.ini")
    refused(1, "nowhere.ini: cannot be read", "evaluate", out, "--config", "nowhere.ini")
    for path in ("nowhere", SCRATCH.name, CONFIG):
        for command in ("resume", "inspect", "evaluate", "verify"):
            refused(1, path, command, path)


@test
def check_refuses_what_cannot_work():
    for message, *sets in (
        ("--set: [population] size = x: not a whole number", "population.size=x"),
        ("--set: [population] has no key 'sise'; did you mean 'size'?", "population.sise=4"),
        ("--set: there is no section [populaton]; did you mean [population]?", "populaton.size=4"),
        ("did you mean tournament?", "select.op=tornament"),
        ("shard = 25: ", "evaluate.shard=25"),
        ("there is no section [task.digit]; did you mean digits?", "evaluate.tasks=digit"),
        ("there is no section [task.digit]; did you mean digits?", "base.task=digit"),
        ("coppice: error: [evaluate] arithmetic = sign cannot compute layer tanh1", "network.layers=tanh dense(10)"),
        ("[task.digits]", "network.input=1x27x27"),
        ("[base] task = nine: there is no section [task.nine]", "base.task=nine"),
        ("10 classes, the network only 4 outputs", "network.layers=dense(4)"),
        ("'dense7' is not a layer with weights", "similarity.layers=dense7"),
        ("conv9d", "network.layers=conv9d(3,3) dense(10)"),
        ("tanh", "network.layers=dense(16) tanh dense(10)"),
        ("trained_weights", "evaluate.op=trained_weights"),
        ("--data", "task.digits.source=idx", "task.digits.images=a", "task.digits.labels=b"),
    ):
        refused(78, message, "check", CONFIG, *[f"--set={s}" for s in sets])
    refused(1, "nowhere.ini: cannot be read: No such file", "check", "nowhere.ini")


@test
def check_looks_at_whole_batches():
    sets = ("--set=similarity.layers=dense1", "--set=fitness.op=weighted", "--set=evaluate.batch=100",
            "--set=evaluate.shard=100")
    same(run("check", "--no-data", CONFIG, *sets).returncode, 0)
    refused(78, "no task fills a batch (the largest has 50 samples", "check", CONFIG, *sets)


@test
def a_run_is_refused_before_anything_is_made():
    out = os.path.join(SCRATCH.name, "refused")
    for message, change in (("sign cannot compute layer tanh1", "network.layers=dense(16) tanh dense(10)"),
                            ("sign computes with edge signs only", "evaluate.op=trained_weights"),
                            ("there is no section [task.nine]", "base.task=nine")):
        refused(78, message, "run", CONFIG, "--out", out, f"--set={change}")
        assert not os.path.exists(out), "a folder was made"


@test
def the_result_table_says_what_it_compares():
    def table(name, *sets):
        p = run("run", CONFIG, "--out", os.path.join(SCRATCH.name, name), "-q", "--set=base.epochs=0",
                "--set=stop.generations=1", *sets)
        same(p.returncode, 0)
        return p.stdout

    signs = table("signs")
    holds(signs, "all edges     best found   shared weight")
    assert re.search(r"^ +test +[\d.]+% +[\d.]+%   (0.5|1|2) and (0.5|1|2)$", signs, re.M), signs
    holds(signs, "not its trained weights")
    holds(signs, "most right on the samples of that row")
    assert "base network  " not in signs, signs
    trained = table("trained", "--set=evaluate.op=trained_weights", "--set=evaluate.arithmetic=blas")
    holds(trained, "base network     best found\n")
    assert "shared weight" not in trained, trained


@test
def the_printed_configuration_is_the_configuration():
    p = run("check", CONFIG, "--print-config", "--set=run.seed=7")
    same((p.returncode, p.stderr), (0, ""))
    holds(p.stdout, "\nseed = 7\n")
    path = write("full.ini", p.stdout)
    same(run("check", path, "--print-config").stdout, p.stdout)
    same(run("check", path).stdout.splitlines()[1:], run("check", CONFIG).stdout.splitlines()[1:])


@test
def explain_shows_algorithm_and_network():
    p = run("explain", CONFIG, "--set=pool.elite=0.5")
    same((p.returncode, p.stderr), (0, ""))
    for part in ("weight_agnostic", "tournament", "prune.random", "elite = 0.5", "conv1=conv2d(4,3)", "4 x 26 x 26",
                 "11012"):
        holds(p.stdout, part)
    refused(78, "did you mean tournament?", "explain", CONFIG, "--set=select.op=tornament")


@test
def explain_says_how_relatives_are_evaluated_or_why_not():
    def says(layers, *parts, more=(), without=()):
        p = run("explain", CONFIG, f"--set=network.layers={layers}", *more)
        same((p.returncode, p.stderr), (0, ""))
        text = p.stdout[p.stdout.index("\narithmetic "):p.stdout.index("\nnetwork ")]
        for part in parts:
            holds(text, part)
        for part in without:
            same(part in text, False)

    tree, tail = "as differences from each other", "relu dense(16) relu dense(10)"
    cnn = "conv2d(4,3) relu conv2d(8,3) relu maxpool(2) dense(16) relu dense(10)"
    says(cnn, tree, "conv1 and conv2 cell by cell (144 cells with patches of 6 x 6", "dense1 from the activations that are not 0",
         "3 shared values share one pass", "equal individuals of a work unit once", without=["each individual by itself"])
    says(cnn, "each individual by itself: [evaluate] alone = yes", more=["--set=evaluate.alone=yes"], without=[tree, "equal individuals"])
    says(cnn, "5 shared values share one pass, three at a time", more=["--set=evaluate.values=0.25,0.5,1,2,4"])
    says(cnn, "sparse: ", "from lists of live edges", more=["--set=evaluate.arithmetic=sparse"], without=[tree, "by BLAS"])
    says(cnn, "more than 0.5 of their edges", more=["--set=evaluate.arithmetic=sparse", "--set=evaluate.dense_above=0.5"])
    says(cnn, "blas: ", "dead edges are multiplied", more=["--set=evaluate.arithmetic=blas"])
    says(cnn, "reference: ", "edge by edge", more=["--set=evaluate.arithmetic=reference"])
    says("dense(16) relu dense(10)", tree, "dense1 from the edges that differ", "the sums of dense1 serve all 3 shared values")
    says("conv2d(4,3) relu maxpool(2) dense(10)", tree, "conv1 cell by cell (169 cells with patches of 4 x 4")
    for layers, why in ((f"conv2d(4,3,1,1) {tail}", "layer conv1 has padding"),
                        (f"conv2d(4,3) relu conv2d(8,3,2) {tail}", "layer conv2 has a stride"),
                        (f"conv2d(4,3) relu conv2d(8,3,1,1) {tail}", "layer conv2 has padding"),
                        (f"conv2d(4,3) relu maxpool(2) conv2d(8,3) {tail}", "layer conv1 is pooled before another convolution"),
                        (f"conv2d(4,3) relu conv2d(8,3) relu conv2d(8,3) {tail}", "layer conv3 is a third convolution"),
                        (f"conv2d(4,3) relu maxpool(3) {tail}", "layer conv1 is followed by something else than relu and one maxpool(2)"),
                        (f"conv2d(4,3,2) relu maxpool(2) {tail}", "layer conv1 has a stride, and is pooled"),
                        (f"conv2d(256,3) {tail}", "layer conv1 has more than 255 channels"),
                        ("conv2d(4,3) dense(16) relu dense(10)", "layer conv1 has no relu behind it"),
                        ("conv2d(32,5) relu conv2d(2,3) relu dense(10)", "layer conv1 is too much work beside the next"),
                        (f"maxpool(2) conv2d(4,3) {tail}", "layer conv1 sees an input that is pooled"),
                        ("dense(10)", "layer dense1 is the only one with weights")):
        says(layers, f"each individual by itself: {why}", without=[tree])
    says("dense(16) tanh dense(10)", "not possible: ", "its activation is not relu", without=[tree])


@test
def every_configuration_shipped_passes_check():
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "configs"))):
        for name in sorted(names):
            if not name.endswith(".ini") or os.path.basename(folder) in ("base", "sweeps"):
                continue  # parts for others to include; lists of arms (test_configs.py)
            p = run("check", "--no-data", os.path.join(folder, name))
            same((p.returncode, p.stderr), (0, ""))
            same(run("explain", os.path.join(folder, name)).returncode, 0)


@test
def the_documents_name_every_command_option_and_section():
    def read(name):
        with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as f:
            return f.read()

    text = read("commands.md")
    wanted = [f"`coppice {command}" for command in commands()]
    wanted += [f"`--{flag}`" for command in commands() for flag in flags(command)]
    same([w for w in wanted if w not in text], [])
    text = read("configuration.md")
    sections = re.findall(r"^\[(.+)\]$", run("help", "--config").stdout, re.M)
    same([s for s in sections if f"`[{s}]`" not in text], [])


write("small.ini", BASE)
print(f"1..{len(tests)}")
for number, function in enumerate(tests, 1):
    try:
        function()
        print(f"ok {number} - {function.__name__}")
    except AssertionError as problem:
        print(f"not ok {number} - {function.__name__}")
        print("# " + str(problem).replace("\n", "\n# "))

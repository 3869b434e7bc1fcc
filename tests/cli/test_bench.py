#!/usr/bin/env python3
"""coppice bench: what it prints is whole, positive and documented; what it refuses it says why. Times are not judged."""
import csv
import io
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

BOUNDS = ("sgemm_macs_per_s", "copy_bytes_per_s", "dot_kernel", "dot_macs_per_s", "dot_memory_macs_per_s")
ALWAYS = ("benchmark", "kernel", "bound", "bound_name", "ratio")


def documented():
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), encoding="utf-8") as f:
        return set(re.findall(r"`(\w+)`", f.read()))


def judge(result, *keys):
    """Every key is documented, those named are there, every rate and time is above 0."""
    rows = result.get("rows", [])
    for scope in (result, *rows):
        for key, value in scope.items():
            check(key in documented(), f"{key} is not in docs/benchmarks.md")
            check(value is not None, f"{key} has no value")
            if key.endswith(("_per_s", "seconds", "bound", "ratio")):
                check(value > 0, f"{key} is {value}")
    for key in (*ALWAYS, *keys):
        check(key in result or (rows and all(key in row for row in rows)), f"{key} is missing: {sorted(result)}")


def bench(*words, **kw):
    result = coppice("bench", *words, "--json", **kw)
    check_status(result, 0)
    return json.loads(result.stdout)


def refused(status, part, *words, **kw):
    result = coppice("bench", *words, **kw)
    check_status(result, status)
    check(part in result.stderr and result.stderr.count("\n") == 1 and not result.stdout, f"{part!r}: {result.stderr}")


@test
def eval_measures_one_network_and_blocks_of_relatives(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 20, "--repeat", 2)
    one = bench(*small)
    judge(one, "samples_x_values_per_s", *BOUNDS)
    check((one["values"], one["samples"], one["individuals"], one["distance"]) == (3, 20, 1, 0), one)
    check(one["bound"] == one["dot_macs_per_s"], one)
    many = bench(*small, "--values", "1", "--individuals", 5, "--distance", 0.5, "--density", 0.2, "--images", "random")
    judge(many)
    check((many["values"], many["individuals"], many["images"]) == (1, 5, "random"), many)
    alone = bench(*small, "--individuals", 2, "--alone")
    judge(alone)
    check((alone["alone"], many["alone"]) == ("yes", "no"), alone)
    # by the model: children that lost half of their edges are no cheaper than from nothing, twins cost nothing but one
    twins = bench(*small, "--individuals", 4, "--distance", 0.0001)
    check(0.2 < twins["planned_share"] < 0.3 and twins["measured_share"] > 0, twins)
    check(twins["planned_share"] < many["planned_share"] <= 1, many)
    check(not {"planned_share", "measured_share"} & (set(alone) | set(one)), "shares without a plan")
    check(abs(many["seconds_per_individual"] * 5 - many["seconds"]) < 1e-9, many)
    # 5 individuals with 0.1 of 50,816 edges each, give or take the layers
    macs = many["live_macs_per_s"] * many["seconds"] / (20 * 5)
    check(4900 < macs < 5300, macs)
    check(bench(*small, "--evaluator", "sparse")["kernel"] == "sparse", "the kernel of sparse")
    floats = bench(*small, "--evaluator", "blas")
    check(floats["kernel"] == "blas" and floats["bound"] == floats["sgemm_macs_per_s"], floats)


@test
def the_convolutional_network_too(scratch):
    judge(bench("eval", "--net", "padawann-cnn", "--samples", 3, "--repeat", 1), "samples_x_values_per_s")


@test
def a_generation_is_bred_by_a_search_and_timed(scratch):
    small = ("generation", "--net", "padawann-ff", "--population", 10, "--generation", 2, "--samples", 40,
             "--fitness-samples", 20, "--repeat", 2)
    g = bench(*small, env={"COPPICE_CACHE": scratch})
    judge(g, "seconds", "wall_seconds", "evaluations_per_s", "samples_x_values_per_s", *BOUNDS)
    check((g["individuals"], g["population"], g["generation"], g["samples"]) == (7, 10, 2, 40), g)
    # two to three prunings of 2.5 % of all edges, some of them dead already
    check(0.9 < g["density"] < 0.98 and 0 < g["distance_edges"] <= 0.05 * 50816, g)
    check(abs(g["samples_x_values_per_s"] * g["seconds"] / (7 * 40 * 3) - 1) < 1e-9, g)
    again = bench(*small, "--kernel", "plain", "--values", "0.5,1,2", env={"COPPICE_CACHE": scratch})
    for key in ("density", "distance_edges", "accuracy_digits"):
        check(again[key] == g[key], f"{key} is {again[key]}, was {g[key]}")
    refused(64, "--population 7: wanted a whole number from 8", "generation", "--population", 7)
    refused(64, "bench generation: --density is not one of its options: net values", "generation", "--density", 1)
    refused(64, "bench eval: --population is not one of its options", "eval", "--population", 10)


@test
def a_kernel_is_taken_by_name(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 5, "--repeat", 1)
    plain = bench(*small, "--kernel", "plain")
    check((plain["kernel"], plain["dot_kernel"]) == ("plain", "plain"), plain)
    check(bench(*small, env={"COPPICE_KERNEL": "plain"})["kernel"] == "plain", "COPPICE_KERNEL is not followed")


@test
def kernels_has_a_row_for_every_variant_layer_grid_and_density(scratch):
    result = bench("kernels", "--samples", 3, "--repeat", 1, "--density", "0.5,0.02")
    judge(result, "sgemm_macs_per_s", "copy_bytes_per_s")
    rows = [(row["kernel"], row["shape"], row["input_bits"], row["density"]) for row in result["rows"]]
    kernels = sorted({row[0] for row in rows})
    check("plain" in kernels and len(set(rows)) == len(rows) == len(kernels) * 4 * 3 * 2, rows)
    check({row["samples"] for row in result["rows"]} == {3}, rows)
    one = coppice("bench", "kernels", "--samples", 1, "--repeat", 1, "--density", 1, "--kernel", "plain", "--csv")
    check_status(one, 0)
    lines = list(csv.DictReader(io.StringIO(one.stdout)))
    check(len(lines) == 12 and {(line["kernel"], line["dot_kernel"]) for line in lines} == {("plain", "plain")}, lines)
    text = coppice("bench", "kernels", "--samples", 1, "--repeat", 1, "--density", 1, "--kernel", "plain")
    check_status(text, 0)
    check(len(re.findall(r"^  plain +\w", text.stdout, re.M)) == 12, text.stdout)
    refused(64, "--density 0: wanted numbers above 0, at most 1", "kernels", "--density", "0")
    refused(64, "--density ,: wanted 1 to 16 numbers", "kernels", "--density", ",")


@test
def train_times_steps_and_rewiring(scratch):
    small = ("train", "--layers", "30,40,20,5", "--epsilon", 3, "--batch", 10, "--samples", 35, "--repeat", 2)
    one = bench(*small)
    judge(one, "seconds", "samples_per_s", "rewire_s", "live_macs_per_s", "network_bytes", "edges")
    check((one["layers"], one["epsilon"], one["batch"], one["samples"]) == ("30,40,20,5", 3, 10, 35), one)
    check(100 < one["edges"] < 800, one)  # 210 and 180 drawn, 100 of the last layer
    check(abs(one["samples_per_s"] * one["seconds"] / 35 - 1) < 1e-9, one)
    other = bench(*small, "--kernel", "plain", "--activation", "srelu", "--dropout", 0.3)
    check((other["kernel"], other["edges"], other["dropout"]) == ("plain", one["edges"], 0.3), other)
    rival = bench(*small, "--compare-with", "/bin/echo {\"seconds\":0.5}")
    check(abs(rival["compare_ratio"] * rival["seconds"] / 0.5 - 1) < 1e-9, rival)
    refused(64, "--layers 5: wanted 2 to", "train", "--layers", "5")
    refused(64, "'x' is no number", "train", "--layers", "5,x")
    refused(64, "--activation tanh: wanted", "train", "--activation", "tanh")
    front = ("train", "--front", "conv2d(4,3,1,1) relu maxpool(2)", "--input", "2x6x6", "--samples", 35, "--repeat", 1)
    one = bench(*front, "--layers", "36,9,5", "--batch", 10)
    judge(one, "seconds", "samples_per_s", "edges", "network_bytes")
    check(one["front"] == "2x6x6: conv1=conv2d(4,3,1,1) relu1=relu maxpool1=maxpool(2)", one)
    work = 3 * one["edges"] + 2 * 36 * 72  # the first convolution has no way back
    check(abs(one["live_macs_per_s"] / one["samples_per_s"] / work - 1) < 1e-9, one)
    # nor has the first layer behind a front without weights
    two = bench("train", "--front", "flatten", "--input", "1x6x6", "--layers", "36,9,5", "--samples", 35, "--repeat", 1)
    work = 3 * two["edges"] - 36 * 9
    check(two["edges"] == 36 * 9 + 9 * 5 and abs(two["live_macs_per_s"] / two["samples_per_s"] / work - 1) < 1e-9, two)
    refused(64, "--layers begins with 30 inputs, the front gives 36", *front, "--layers", "30,5")
    refused(64, "there is no layer", "train", "--front", "conv(3)")
    refused(64, "--input is the shape", "train", "--input", "3x4x4")
    refused(64, "--input: \"3x\"", "train", "--front", "relu", "--input", "3x")


@test
def sparse_stands_beside_the_dense_product(scratch):
    small = ("sparse", "--rows", 30, "--cols", 50, "--batch", 17, "--repeat", 1)
    one = bench(*small, "--density", 0.2)
    judge(one, "seconds", "sgemm_seconds", "live_macs_per_s", "bound_share")
    check((one["outputs"], one["inputs"], one["batch"], one["density"]) == (30, 50, 17, 0.2), one)
    check(abs(one["ratio"] * one["seconds"] / one["sgemm_seconds"] - 1) < 1e-9, one)
    check(abs(one["live_macs_per_s"] * one["seconds"] / (300 * 17) - 1) < 1e-9, one)
    rows = bench(*small, "--sweep")
    judge(rows, "seconds", "sgemm_seconds")
    check(0 < rows["crossover"] <= 1 and len(rows["rows"]) == 12, rows)
    plain = bench(*small, "--kernel", "plain")
    check(plain["kernel"] == "plain" and plain["density"] == 0.05, plain)
    refused(64, "--rows 0: wanted a whole number from 1", "sparse", "--rows", 0)
    refused(64, "make arrays of more than 2e8 numbers", "sparse", "--rows", 60000, "--cols", 60000)
    refused(64, "bench sparse: --net is not one of its options", "sparse", "--net", "padawann-ff")


RIVAL = """import json, os, sys
names = ("NET", "DENSITY", "VALUES", "SAMPLES", "INDIVIDUALS")
told = {name: os.environ["COPPICE_BENCH_" + name] for name in names}
with open(sys.argv[1], "a") as f:
    f.write(json.dumps([told, sys.argv[2:]]) + "\\n")
print("chatter first")
print(json.dumps(eval(sys.argv[2])))
"""


def rival(scratch, answer, *more):
    script = os.path.join(scratch, "rival.py")
    with open(script, "w", encoding="utf-8") as f:
        f.write(RIVAL)
    return " ".join((sys.executable, script, os.path.join(scratch, "said"), answer, *more))


@test
def an_outside_program_is_timed_on_the_same_work(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 7, "--repeat", 3, "--individuals", 2, "--values", "1,3")
    command = rival(scratch, '{"seconds":0.5,"name":"a,\\"b\\""}', "{net}:{density}", "{values}", "x{samples}x{individuals}", "{y}")
    result = bench(*small, "--compare-with", command)
    judge(result, "compare_with", "compare_name")
    check(result["compare_with"] == command and result["compare_name"] == 'a,"b"', result)
    check(result["compare_seconds"] == 0.5 and result["compare_samples_x_values_per_s"] == 2 * 7 * 2 / 0.5, result)
    check(abs(result["compare_ratio"] * result["seconds"] - 0.5) < 1e-9, result)
    with open(os.path.join(scratch, "said"), encoding="utf-8") as f:
        said = [json.loads(line) for line in f]
    told = {"NET": "padawann-ff", "DENSITY": "0.6", "VALUES": "1,3", "SAMPLES": "7", "INDIVIDUALS": "2"}
    check(len(said) == 3 and all(row[0] == told for row in said), said)
    check(said[0][1][1:] == ["padawann-ff:0.6", "1,3", "x7x2", "{y}"], said)
    table = list(csv.DictReader(io.StringIO(coppice("bench", *small, "--csv", "--compare-with", command).stdout)))
    check(table[0]["compare_name"] == 'a,"b"', table)
    rate = bench(*small, "--compare-with", rival(scratch, '{"samples_x_values_per_s":56}'))
    check(rate["compare_seconds"] == 0.5 and rate["compare_name"] == "", rate)


@test
def an_outside_program_sees_the_generation(scratch):
    result = bench("generation", "--net", "padawann-ff", "--population", 10, "--generation", 1, "--samples", 20,
                   "--fitness-samples", 20, "--repeat", 1, "--compare-with", rival(scratch, '{"seconds":2}'),
                   env={"COPPICE_CACHE": scratch})
    judge(result, "compare_ratio")
    with open(os.path.join(scratch, "said"), encoding="utf-8") as f:
        told = json.loads(f.readline())[0]
    check((told["INDIVIDUALS"], told["SAMPLES"], told["VALUES"]) == ("7", "20", "0.5,1,2"), told)
    check(abs(float(told["DENSITY"]) - result["density"]) < 1e-5, told)


@test
def an_outside_program_that_fails_is_named(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 2, "--repeat", 1, "--compare-with")
    refused(64, "--compare-with ' ': wanted a command", *small, " ")
    refused(1, "'/no/such/program;' cannot be started: No such file or directory", *small, "/no/such/program; true")
    refused(1, "was ended by signal 9", *small, rival(scratch, "os.kill(os.getpid(),9)"))
    refused(1, "'false' ended with status 1", *small, "false")
    refused(1, "'true' ends with the line '': wanted a JSON object", *small, "true")
    # no shell: the words arrive as they are
    refused(1, "ends with the line '$HOME `id` | cat'", *small, "echo $HOME `id` | cat")
    for answer in ("[1]", '{"seconds":0}', '{"seconds":"1"}', '{"samples_x_values_per_s":-1}', "1"):
        refused(1, "wanted a JSON object with samples_x_values_per_s or seconds, above 0", *small, rival(scratch, answer))


@test
def the_recipe_for_pytorch_says_what_is_missing(scratch):
    recipe = os.path.join(ROOT, "jobs", "compare", "pytorch_dense_mask.py")
    with open(os.path.join(scratch, "torch.py"), "w", encoding="utf-8") as f:
        f.write("raise ImportError('no torch here')\n")
    absent = subprocess.run([sys.executable, recipe], capture_output=True, text=True, check=False,
                            env={**os.environ, "PYTHONPATH": scratch})
    check(absent.returncode == 1 and absent.stderr.count("\n") == 1 and "install PyTorch" in absent.stderr, absent.stderr)
    if subprocess.run([sys.executable, "-c", "import torch, numpy"], capture_output=True, check=False).returncode:
        raise Skip("no PyTorch here")
    result = bench("eval", "--net", "padawann-ff", "--samples", 20, "--repeat", 1, "--compare-with", f"{sys.executable} {recipe}")
    judge(result)
    check("PyTorch" in result["compare_name"], result)


@test
def csv_and_text_hold_what_json_holds(scratch):
    small = ("eval", "--net", "padawann-ff", "--samples", 5, "--repeat", 1)
    keys = list(bench(*small))
    lines = list(csv.reader(io.StringIO(coppice("bench", *small, "--csv").stdout)))
    check(lines[0] == keys and len(lines) == 2 and len(lines[1]) == len(keys), lines)
    check(float(lines[1][keys.index("seconds")]) > 0, lines)
    text = coppice("bench", *small)
    check_status(text, 0)
    check([line.split()[0] for line in text.stdout.splitlines()] == keys, text.stdout)


@test
def what_is_wrong_is_named(scratch):
    refused(64, "there is no benchmark 'evil'; did you mean 'eval'?", "evil")
    refused(64, "there is no benchmark 'x'; there are ecomp, eval, generation, kernels", "x")
    refused(64, "BENCHMARK is missing", )
    refused(64, "--density 2: wanted a number from 0 to 1", "eval", "--density", 2)
    refused(64, "--distance -1: wanted a number from 0 to 1", "eval", "--distance", -1)
    refused(64, "--samples 0: wanted a whole number from 1 to 1000000", "eval", "--samples", 0)
    refused(64, "--individuals x: wanted a whole number", "eval", "--individuals", "x")
    refused(64, "--values 2,1: wanted ascending numbers above 0", "eval", "--values", "2,1")
    refused(64, "--values 0: wanted ascending", "eval", "--values", "0")
    refused(64, "--values ,: wanted 1 to 16 numbers", "eval", "--values", ",")
    refused(64, "--net lenet: wanted padawann-cnn or padawann-ff", "eval", "--net", "lenet")
    refused(64, "--evaluator gpu: wanted one of ", "eval", "--evaluator", "gpu")
    refused(64, "--kernel mmx: this processor can use ", "eval", "--kernel", "mmx")
    refused(64, "--images cats: wanted glyphs or random", "eval", "--images", "cats")
    refused(64, "give one of --json and --csv", "eval", "--json", "--csv")
    refused(78, "COPPICE_KERNEL=mmx is not one of", "eval", "--net", "padawann-ff", "--samples", 1,
            env={"COPPICE_KERNEL": "mmx"})


if __name__ == "__main__":
    main()

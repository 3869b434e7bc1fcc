#!/usr/bin/python3
"""Real h5py opens what coppice writes: the shipped reader, the five-line readers of docs/formats, and a
network made with h5py that coppice reads. TAP."""
import contextlib
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.environ.get("COPPICE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COPPICE_BUILD") or os.path.join(ROOT, "build")
try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"1..1\nok 1 # SKIP {error}: install python3-h5py and python3-numpy")
    sys.exit(0)
sys.path.insert(0, os.path.join(ROOT, "docs"))
sys.dont_write_bytecode = True
import read_run  # noqa: E402


def five_lines(page, folder):
    """Run the first Python example of a page in a folder; returns what it defined."""
    with open(os.path.join(ROOT, "docs", "formats", page), encoding="utf-8") as f:
        code = re.search(r"```python\n(.*?)```", f.read(), re.S).group(1)
    assert len(code.strip().splitlines()) <= 5, "five lines were promised"
    seen, before = {}, os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, seen)
    finally:
        os.chdir(before)
    seen["printed"] = out.getvalue()
    return seen


def wanted_genome(individual, edges):
    return np.arange(edges) * (individual + 3) % 7 < 3


def wanted_weights(edges):
    return (np.arange(edges) % 13 - 6).astype(np.float32) * np.float32(0.25)


def test_checkpoint(folder):
    c = read_run.Checkpoint(os.path.join(folder, "checkpoint.h5"))
    edges = c.genomes.shape[1]
    assert edges == 2 * 9 + 5 * 8 + 3 * 5, edges
    assert c.genome_id.tolist() == [5, 4, 1] and c.population.tolist() == [5, 4]
    for k, i in enumerate([5, 4, 1]):
        assert (c.genomes[k] == wanted_genome(i, edges)).all(), i
    assert list(c.base) == ["conv1", "first", "dense2"], list(c.base)
    assert c.base["conv1"][0].shape == (2, 1, 3, 3) and c.base["first"][0].shape == (5, 8)
    assert (np.concatenate([w.ravel() for w, _ in c.base.values()]) == wanted_weights(edges)).all()
    assert (np.concatenate([b for _, b in c.base.values()]) == np.arange(10) * 0.5 - 1).all()
    assert c.masks(4)["first"].shape == (5, 8)
    assert c.individuals["fitness"].tolist() == [1, 5, 2, -np.inf, 3, 4]
    assert c.individuals["parent1"].tolist() == [-1, -1, 0, 1, 1, 2]
    assert c.individuals["parent2"].tolist() == [-1, -1, 1, -1, -1, 1]
    assert c.individuals["died"].tolist() == [1, 2, 2, 1, -1, -1]
    assert c.individuals["amount_4"].tolist() == [0, 0, 0, 0, 0.125, 0]
    assert c.individuals["edges"].tolist() == [k * 0.75 + 0.25 for k in range(6)]
    assert np.isnan(c.individuals["accuracy.mnist"][3]) and c.measures[2] == "similarity"
    assert c.generations["best_ever_id"].tolist() == [1, 1, 1]
    assert c.ancestors(5) == [0, 1, 2, 5]
    assert c.config == '[run]\nname = "é"\n' and c.provenance["ranks"] == 4 and c.tasks == ["mnist"]
    assert c.attributes["complete"] == 1 and c.attributes["elapsed_seconds"] == 12.5
    assert c.attributes["software_version"] == "1.2.3" and c.attributes["machine"] == "node7"


def test_bounded(folder):
    c = read_run.Checkpoint(os.path.join(folder, "bounded.h5"))
    assert c.individuals["id"].tolist() == [1, 2, 4, 5] and c.born == 6
    assert c.individuals["fitness"].tolist() == [5, 2, 3, 4] and c.individuals["edges"].tolist()[1] == 1.75
    assert (c.row(2), c.row(5), c.row(3), c.row(6), c.row(-1)) == (1, 3, -1, -1, -1)
    assert c.ancestors(5) == [1, 2, 5], c.ancestors(5)  # 0, a parent of 2, was dropped
    assert c.generations["births"].tolist() == [2, 2, 2]
    w = c.window
    assert (w["generations"], w["individuals"], w["elders"], len(w["chain"])) == (1, 6, 2, 64), w
    assert w["begin"].tolist() == [1, 2] and w["next"].tolist() == [5, 4] == c.population.tolist()
    assert c.attributes["format_version"] == 3
    out = io.StringIO()
    read_run.describe(os.path.join(folder, "bounded.h5"), out)
    assert "6 individuals, 2 alive\nrows of 4 individuals are held" in out.getvalue(), out.getvalue()
    out = io.StringIO()
    read_run.write_csv(os.path.join(folder, "bounded.h5"), out)
    assert len(out.getvalue().splitlines()) == 5
    assert not read_run.Checkpoint(os.path.join(folder, "checkpoint.h5")).window


def test_conventions(folder):
    """Scales on every column, units, texts of variable length in UTF-8."""
    with h5py.File(os.path.join(folder, "checkpoint.h5"), "r") as f:
        for group, scale, name in (("individuals", "id", "individual"), ("generations", "generation", "generation")):
            lengths = {len(d) for d in f[group].values()}
            assert len(lengths) == 1, lengths
            for column, data in f[group].items():
                assert data.ndim == 1 and data.attrs["long_name"] and data.attrs["units"], column
                if column != scale:
                    assert data.dims[0].label == name and data.dims[0][name] == f[group][scale], column
        assert f["genomes/bits"].dims[0][0] == f["genomes/id"]
        assert f["base/conv1/weight"].dims[1].label == "input_channel"
        for text in (f["config"], f["tasks"], f["measures"]):
            kind = h5py.check_string_dtype(text.dtype)
            assert kind.encoding == "utf-8" and kind.length is None
        times = {"/": h5py.h5g.get_objinfo(f.id, b".").mtime}
        f.visit(lambda name: times.__setitem__(name, h5py.h5g.get_objinfo(f.id, name.encode()).mtime))
        assert len(times) > 30 and not any(times.values()), times  # equal contents, equal bytes
        assert isinstance(f.attrs["format"], str) and f.attrs["format_version"] == 1


def test_network(folder):
    n = read_run.Network(os.path.join(folder, "network.h5"))
    assert n.weighting == "signed" and n.values.tolist() == [0.5, 1, 2] and n.individual == 5
    assert (n.mask == wanted_genome(5, n.edges)).all()
    flat = np.concatenate([w.ravel() for w in n.weights(2.0).values()])
    assert (flat == np.where(n.mask, np.sign(wanted_weights(n.edges)) * 2, 0)).all()


def test_seal(folder):
    for name in ("checkpoint.h5", "network.h5"):
        with open(os.path.join(folder, name), "rb") as f:
            head, rest = f.read(512), f.read()
        lines = head.decode("ascii").splitlines()
        assert lines[0].startswith("coppice sealed HDF5")
        assert lines[1] == f"bytes {len(rest)}" and lines[2] == f"sha256 {hashlib.sha256(rest).hexdigest()}"


def test_five_lines(folder):
    os.makedirs(os.path.join(folder, "run"), exist_ok=True)
    for name, copy in (("checkpoint.h5", "gen-000120.h5"), ("network.h5", "best.h5")):
        os.link(os.path.join(folder, name), os.path.join(folder, copy))
    seen = five_lines("checkpoint.md", folder)
    assert seen["genomes"].shape[0] == 3 and seen["fitness"][1] == 5
    seen = five_lines("network.md", folder)
    assert seen["w"].shape == (2, 1, 3, 3) and seen["live"].sum() == wanted_genome(5, seen["live"].size).sum()
    entry = '{"bytes":1,"dropped":%s,"file":"%s","generation":%d,"kind":"checkpoint","sha256":"0","check":"0"}\n'
    with open(os.path.join(folder, "ledger.jsonl"), "w", encoding="utf-8") as f:
        f.write(entry % ("false", "old.h5", 1) + entry % ("false", "gen-000120.h5", 2) + entry % ("true", "old.h5", 1))
        f.write('{"bytes":1,"dropp')
    assert five_lines("run-directory.md", folder)["newest"]["file"] == "gen-000120.h5"


def test_script(folder):
    script = os.path.join(ROOT, "docs", "read_run.py")

    def run(*words):
        return subprocess.run([sys.executable, "-B", script, *words], capture_output=True, text=True)
    shown = run(os.path.join(folder, "checkpoint.h5"))
    assert shown.returncode == 0 and "6 individuals, 2 alive" in shown.stdout, shown
    shown = run(os.path.join(folder, "network.h5"))
    assert shown.returncode == 0 and "weights signed" in shown.stdout, shown
    table = run("--csv", os.path.join(folder, "checkpoint.h5")).stdout.splitlines()
    assert len(table) == 7 and table[0].startswith("id,") and table[5].startswith("4,"), table
    assert run().returncode != 0


def test_foreign_network(folder):
    """What docs/formats/network.md says about other people's networks, in float64 and gzipped."""
    path = os.path.join(folder, "mine.h5")
    with h5py.File(path, "w") as f:
        f.attrs.update(format="coppice-network", format_version=1)
        f.create_group("network").attrs["spec"] = "3: fc1=dense(4) relu fc2=dense(2)"
        for name, out, inputs in (("fc1", 4, 3), ("fc2", 2, 4)):
            f.create_dataset(f"network/{name}/weight", data=np.arange(out * inputs, dtype=">f8").reshape(out, inputs),
                             compression="gzip", shuffle=True, fletcher32=True)
            f[f"network/{name}/bias"] = np.zeros(out, "f4")
    program = os.path.join(BUILD, "tests", "unit", "test_network_file")

    def read():
        p = subprocess.run([program, "--read", path], capture_output=True, text=True)
        return p.returncode, p.stdout + p.stderr
    code, text = read()
    assert code == 0 and "fc1=dense(4)" in text and "20 of 20" in text, text

    def refused(change, message):
        with h5py.File(path, "r+") as f:
            f.copy(f["network/fc1/weight"], f["network/fc1"], name="kept")
            change(f)
        code, text = read()
        assert code == 1 and message in text and text.count("\n") == 1, (message, code, text)
        with h5py.File(path, "r+") as f:
            group = f["network/fc1"]
            if "weight" in group:
                del group["weight"]
            group.move("kept", "weight")

    def replace(**how):
        def change(f):
            del f["network/fc1/weight"]
            f.create_dataset("network/fc1/weight", **how)
        return change

    def link(kind):
        def change(f):
            del f["network/fc1/weight"]
            f["network/fc1/weight"] = kind
        return change
    ones = np.ones((4, 3), "f4")
    refused(replace(data=ones, compression="lzf"), "filter other than")
    refused(replace(data=ones, scaleoffset=2), "filter other than")
    refused(replace(shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]), "another file")
    refused(replace(shape=(4, 3), dtype="f4", chunks=(4, 3)), "more values than are stored")
    refused(replace(shape=(4, 3), dtype="f4", chunks=(16384, 16384), maxshape=(None, None)), "chunks are larger")
    refused(replace(data=ones.astype("i4")), "no floating-point")
    refused(replace(data=ones * 1e300), "/network/fc1/weight")
    refused(replace(data=np.full((4, 3), np.nan)), "finite")
    refused(replace(data=ones.T), "axis 0")
    refused(replace(data=ones[None]), "dimension")
    refused(link(h5py.SoftLink("/network/fc2/weight")), "no such dataset")
    refused(link(h5py.ExternalLink("network.h5", "/network/first/weight")), "no such dataset")
    refused(lambda f: f.__delitem__("network/fc1/weight"), "no such dataset")
    virtual = h5py.VirtualLayout((4, 3), "f4")
    virtual[:] = h5py.VirtualSource("network.h5", "network/first/weight", (4, 3))

    def make_virtual(f):
        del f["network/fc1/weight"]
        f.create_virtual_dataset("network/fc1/weight", virtual)
    refused(make_virtual, "layout")
    assert read()[0] == 0


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(BUILD, "tests", "unit", "test_checkpoint"), "--sample", folder], check=True)
        for k, (name, test) in enumerate(tests, 1):
            try:
                test(folder)
                print(f"ok {k} - {name}")
            except Exception as error:  # a test's failure must not hide the others
                failed = 1
                print(f"not ok {k} - {name}\n# {type(error).__name__}: {error}")
    return failed


sys.exit(main())

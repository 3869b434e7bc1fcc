#!/usr/bin/env python3
"""coppice report: the page is whole, well-formed, loads nothing, escapes what files say, and its numbers are inspect's."""
import html.parser
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import check, check_status, coppice, main, test  # noqa: E402

CONFIG = "configs/smoke/padawann.ini"
VOID = {"meta", "br"}
NAME = "<script>alert(1)</script>\"'&amp; \u00e9"


class Page(html.parser.HTMLParser):
    """Fails on tags that are not closed in order; collects ids, text by tag and tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.tables, self.attributes = [], [], set(), {}, []
        self.text = ""
        self.feed(text)
        self.close()
        check(not self.open, f"never closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        values = dict(attributes)
        if "id" in values:
            check(values["id"] not in self.ids, f"id {values['id']} twice")
            self.ids.add(values["id"])
        if tag == "table":
            self.rows = self.tables.setdefault(values.get("id", "?"), [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, f"</{tag}> inside {self.open}")
        self.open.pop()

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def a_page(path):
    with open(path, encoding="utf-8", errors="strict") as f:
        text = f.read()
    page = Page(text)
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        root = xml.fromstring(svg)
        width, height = map(float, root.get("viewBox").split()[2:])
        for mark in root.iter():
            for key, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
                if key in mark.attrib:
                    check(-1 <= float(mark.get(key)) <= most + 1, f"{mark.tag} {mark.attrib} outside {width} x {height}")
        check("nan" not in svg.lower() and "inf" not in svg.lower().replace("info", ""), svg[:300])
    check("script" not in page.tags and "link" not in page.tags and "img" not in page.tags, set(page.tags))
    for key, value in page.attributes:
        check(key not in ("src", "href", "onload", "onclick") and "http" not in (value or "").replace("http-equiv", ""),
              f"{key}={value}")
    check("url(" not in text and "@import" not in text and "default-src 'none'" in text, "something is loaded")
    return text, page


@test
def a_run_becomes_a_page(scratch):
    run = f"{scratch}/run"
    check_status(coppice("run", CONFIG, "--out", run, "-q", "--set=prune.random.amount=0.1", f"--set=run.name={NAME}"), 0)
    result = coppice("report", run)
    check_status(result, 0)
    check(result.stdout == f"{run}/report.html\n", result.stdout)
    text, page = a_page(f"{run}/report.html")
    check({"result", "curves", "confusion", "layers", "lineage", "survival", "config"} <= page.ids, page.ids)
    check(text.count("<svg") == 10, f"{text.count('<svg')} charts")  # 3 curves, 2 matrices, 2 layers, tree, 2 of edges
    check(page.text.count(NAME) >= 2 and "<script" not in text, "the name is not there as it is")
    seen = json.loads(coppice("inspect", run, "--json").stdout)
    scores = json.loads(coppice("evaluate", run, "--choose", "evolve", "--json").stdout)["tasks"]
    rows = {(row[0], row[1]): row for row in page.tables["accuracy"][1:]}
    for task, score in scores.items():
        check(rows[task, "test"][3] == f"{score['accuracy']:.2f}" and rows[task, "test"][2] == str(score["samples"]),
              f"{rows[task, 'test']}, evaluate says {score['accuracy']}")
        check(rows[task, "evolution"][3] == f"{seen['best']['accuracy'][task]:.2f}", rows)
    line = page.tables["lineage-table"][1:]
    check(int(line[0][0]) == seen["best"]["id"] and int(line[0][-1]) == seen["network"]["edges"], line[0])
    check(f"{seen['network']['edges']} of {seen['network']['weights']} edges" in page.text, "edges")
    check(seen["checkpoint"]["digest"] in page.text, "digest")
    before = text
    check_status(coppice("report", run), 0)
    check(a_page(f"{run}/report.html")[0] == before, "not the same page again")


@test
def what_is_missing_is_said(scratch):
    run = f"{scratch}/run"
    check_status(coppice("run", CONFIG, "--out", run, "-q", "--set=stop.generations=0", "--set=population.size=4"), 0)
    out = f"{scratch}/page.html"
    check_status(coppice("report", run, "--no-data", "-o", out), 0)
    text, page = a_page(out)
    check("left out by --no-data" in page.text and "confusion" not in page.ids and not os.path.exists(f"{run}/report.html"),
          page.ids)
    result = coppice("report", f"{run}/best.h5", "-o", out)
    check_status(result, 0)
    text, page = a_page(out)
    check("confusion" in page.ids and "lineage" not in page.ids and "curves" not in page.ids, page.ids)
    for status, message, *words in (
        (64, "is no run directory: say with --out", f"{run}/best.h5"),
        (1, "no such file", f"{scratch}/none"),
        (1, "none/page.html", run, "-o", f"{scratch}/none/page.html"),
    ):
        result = coppice("report", *words)
        check_status(result, status)
        check(message in result.stderr, result.stderr)


main()

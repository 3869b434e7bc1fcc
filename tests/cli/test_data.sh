#!/bin/sh
# coppice data: list, show, write; what they print, write and refuse.
set -u
build=${COPPICE_BUILD:-build}
root=${COPPICE_ROOT:-.}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
unset COPPICE_DATA

# run STATUS arguments...: the exit status is STATUS; output in $dir/out and $dir/err
run() {
    wanted=$1
    shift
    "$build/coppice" data "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -eq "$wanted" ] || { echo "# status $status, not $wanted: $*"; sed 's/^/# /' "$dir/err"; }
    [ $status -eq "$wanted" ]
}
out() { grep -qF -- "$1" "$dir/out" || { echo "# stdout lacks: $1"; sed 's/^/# /' "$dir/out"; false; }; }
err() { grep -qF -- "$1" "$dir/err" || { echo "# stderr lacks: $1"; sed 's/^/# /' "$dir/err"; false; }; }
# test NAME: the status of the command before
test_() {
    result=$?
    n=$((n + 1))
    if [ $result -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}

run 0 list && out glyphs-letters && out binary-clusters && out mnist && out missing
test_ "list names sources and real sets"

run 0 list mnist && out "[task.mnist]" && out "evolve_per_class = 700"
test_ "list NAME prints a section"

small="--set task.glyphs-digits.train_samples=40 --set task.glyphs-digits.evolve_samples=20
       --set task.glyphs-digits.test_samples=20"
run 0 show glyphs-digits $small --png "$dir/sheet.png" &&
    out "train   40 samples of 1 x 28 x 28" && out "    9        4        2        2  9" && out "@" &&
    [ "$(head -c 4 "$dir/sheet.png" | tail -c 3)" = PNG ]
test_ "show prints counts and a picture, and writes a contact sheet"

run 0 show glyphs-digits $small --split test && grep digest "$dir/out" >"$dir/first" &&
    run 0 show glyphs-digits --set task.glyphs-digits.test_samples=20 --split test &&
    grep digest "$dir/out" | cmp - "$dir/first"
test_ "the digest of a split depends on that split alone"

for format in idx csv; do
    run 0 write glyphs-digits $small --out "$dir/$format/new" --format $format --gz &&
        run 0 show glyphs-digits --config "$dir/$format/new/glyphs-digits.ini" --data "$dir/$format/new" &&
        grep digest "$dir/out" >"$dir/back" &&
        run 0 show glyphs-digits $small && grep digest "$dir/out" | cmp - "$dir/back"
    test_ "write --format $format: the section written reads the same data back"
done

printf '[task.own]\nsource = csv\nfile = t.csv\nholdout = 0.5\n' >"$dir/own.ini"
printf '1,2,a\n2,3,b\n3,4,a\n4,x,b\n' >"$dir/t.csv"
run 1 show own --config "$dir/own.ini" --data "$dir" && err 't.csv:4: column 2: "x" is not a number'
test_ "a bad cell is named by line and column"

run 78 show own --config "$dir/own.ini" && err "--data DIR"
test_ "files without a folder are refused with the way out"

run 78 show own --config "$dir/own.ini" --data "$dir" --set task.own.noise=0.5 && err "does not use"
test_ "an option of another source is refused"

run 64 show glyphs-digit && err "did you mean glyphs-digits?"
test_ "a wrong name gets the nearest"

run 64 shwo mnist && err "did you mean show?" &&
    run 64 show glyphs-digits --split both && err "train, evolve or test" &&
    run 64 write glyphs-digits && err "--out DIR" &&
    run 64 write glyphs-digits --out "$dir/x" --format jpeg && err "idx or csv" &&
    run 64 show glyphs-digits --samples 0 && err "1 to 10000" && run 64 show && err "which task"
test_ "wrong usage is refused with status 64"

run 0 show mnist-like --source blobs --set task.mnist-like.class_count=3 && out "task mnist-like" &&
    out "test    2000 samples of 1 x 1 x 100"
test_ "--source makes a task of a built-in source"

echo "1..$n"

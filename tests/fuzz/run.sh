#!/usr/bin/env bash
# Look for inputs that break a reader: run.sh SECONDS [TARGET...], after `make fuzz` has built. Each target gets that
# long under libFuzzer with the address and undefined-behaviour sanitizers. What is found is kept as text in
# tests/fuzz/corpus/TARGET/, where `make check` replays it from then on.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for f in tests/fuzz/test_*.c; do
    t=${f##*/test_}
    targets+=("${t%.c}")
done
failed=0
for t in "${targets[@]}"; do
    corpus=build-fuzz/corpus/$t findings=build-fuzz/findings/$t log=build-fuzz/$t.log
    mkdir -p "$corpus" "$findings"
    "build/tests/fuzz/test_$t" --write "$corpus"
    # HDF5 and MPI keep memory until the end; leaks of our own are the replay's business (make asan)
    code=0
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 "build-fuzz/tests/fuzz/test_$t" -max_total_time="$seconds" \
        -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=20 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix="$findings/" "$corpus" >"$log" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-12s %10s executions, %6s edges covered, exit %s\n' "$t" "${runs:-?}" "${cover:-?}" "$code"
    if [ "$code" -ne 0 ]; then
        failed=1
        tail -n 40 "$log"
        mkdir -p "tests/fuzz/corpus/$t"
        for f in "$findings"/*; do
            [ -f "$f" ] || continue
            od -An -v -tx1 "$f" >"tests/fuzz/corpus/$t/$(basename "$f" | cut -c1-24).hex"
        done
        echo "kept in tests/fuzz/corpus/$t; to run one alone: build-fuzz/tests/fuzz/test_$t $findings/FILE"
    fi
done
exit $failed

/* Every benchmark: its file is bench_<name>.c with `const cop_bench cop_bench_<name>`. Options live
 * in the one table of cmd_bench.c, so that help shows them; each benchmark says which it takes. */
COP_BENCH(ecomp)
COP_BENCH(eval)
COP_BENCH(generation)
COP_BENCH(kernels)
COP_BENCH(sparse)
COP_BENCH(train)

# coppice: evolutionary search for sparse neural networks over MPI.
#   make run     install what is missing, build, and watch a search run on all cores
#   make check   install what is missing, build, run every test
#   make help    the other targets
# Variables: CC, MPICC, FLAVOUR=release|debug|asan|tsan|cov|fuzz, WERROR=1, PREFIX, DESTDIR, HDF5_PKG, HDF5_HL, BLAS_PKG, V=1

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION  := 0.1.0
FLAVOUR  ?= release
WERROR   ?= 0
PREFIX   ?= /usr/local
MPICC    ?= mpicc
MPIRUN   ?= mpirun
PKG_CONFIG ?= pkg-config
PYTHON   ?= /usr/bin/python3
ifeq ($(origin CC),default)
CC := gcc
endif
# the wrapper of Open MPI (OMPI_CC) and of MPICH (MPICH_CC) compiles with what CC names
export OMPI_CC := $(CC)
export MPICH_CC := $(CC)

BUILD := build$(if $(filter-out release,$(FLAVOUR)),-$(FLAVOUR))
Q := $(if $(V),,@)

# the goals that may install packages look for libraries only in their second make
SETUP_GOALS := run check help info clean format setup lint
ifneq ($(filter-out $(SETUP_GOALS),$(or $(MAKECMDGOALS),all)),)
HDF5_PKG ?= $(firstword $(foreach p,hdf5 hdf5-serial hdf5-openmpi,$(if $(shell $(PKG_CONFIG) --exists $(p) && echo y),$(p))) hdf5)
BLAS_PKG ?= $(firstword $(foreach p,openblas openblas64 cblas,$(if $(shell $(PKG_CONFIG) --exists $(p) && echo y),$(p))) openblas)
PKGS := $(HDF5_PKG) $(BLAS_PKG) jansson libpng inih libcrypto zlib gsl
MISSING := $(shell jobs/setup.sh --check '$(MPICC)' '$(PKG_CONFIG)' $(PKGS) >&2 || echo missing)
ifneq ($(MISSING),)
$(error coppice cannot be built yet: see the lines above)
endif
# -isystem: warnings are for our code, not for the libraries' headers
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PKGS)))
# GSL's own BLAS stays out: OpenBLAS has the same names and comes first
PKG_LIBS   := $(filter-out -lgslcblas,$(shell $(PKG_CONFIG) --libs $(PKGS)))
# HDF5's dimension scales live in its second library, which pkg-config does not name everywhere: Debian keeps it as
# libhdf5_hl beside libhdf5 (or libhdf5_serial_hl in the common folder), other systems have a package hdf5_hl
HDF5_DIRS := $(patsubst -L%,%,$(shell $(PKG_CONFIG) --libs-only-L $(HDF5_PKG))) $(shell $(PKG_CONFIG) --variable=libdir $(HDF5_PKG))
HDF5_HL ?= $(or $(filter -lhdf5%_hl,$(PKG_LIBS)),$(firstword $(foreach n,hdf5_hl hdf5_serial_hl hdf5_openmpi_hl,\
             $(if $(wildcard $(foreach d,$(HDF5_DIRS),$(d)/lib$(n).so $(d)/lib$(n).a $(d)/lib$(n).dylib)),-l$(n)))),-lhdf5_hl)
GIT_REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
CC_VERSION := $(shell $(CC) --version 2>/dev/null | head -n 1 | tr -d '"\\')
endif

WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
         -Wvla -Wpointer-arith $(if $(filter 1,$(WERROR)),-Werror)
OPT_release := -O3 -g
OPT_debug   := -O1 -g3
OPT_asan    := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPT_tsan    := -O1 -g3 -fsanitize=thread -fno-omit-frame-pointer
OPT_cov     := -O1 -g3 --coverage
OPT_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DCOPPICE_LIBFUZZER
OPT := $(OPT_$(FLAVOUR))
ifeq ($(OPT),)
$(error FLAVOUR=$(FLAVOUR) is not one of release, debug, asan, tsan, cov, fuzz)
endif
# -ffp-contract=off: a*b+c is rounded twice on every machine, so results do not depend on FMA
CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -Iinclude -Isrc $(PKG_CFLAGS) $(OPT) -ffp-contract=off -fno-math-errno \
              $(WARN) $(CFLAGS)
LIBS := $(HDF5_HL) $(PKG_LIBS) -lm -pthread

SRC  := $(filter-out src/cli/main.c,$(sort $(wildcard src/*/*.c src/*/*/*.c)))
OBJ  := $(SRC:%.c=$(BUILD)/obj/%.o)
TEST_SRC := $(sort $(wildcard tests/*/test_*.c))
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)

.PHONY: all tests run check check-built asan tsan valgrind analyse torture fuzz fuzzers bench install uninstall format lint clean info help setup FORCE
all: $(BUILD)/coppice

# build flags: a change of compiler or options rebuilds everything
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(MPICC) $(CFLAGS_ALL) $(LDFLAGS) $(LIBS)' | cmp -s - $@ || \
	  printf '%s\n' '$(CC) $(MPICC) $(CFLAGS_ALL) $(LDFLAGS) $(LIBS)' > $@
# what --version and provenance print
$(BUILD)/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define COP_VERSION "%s"\n#define COP_GIT_REVISION "%s"\n#define COP_COMPILER "%s"\n#define COP_BUILD_FLAGS "%s %s"\n' \
	  '$(VERSION)' '$(GIT_REVISION)' '$(CC_VERSION)' '$(FLAVOUR)' '$(OPT)' | cmp -s - $@ || \
	printf '#define COP_VERSION "%s"\n#define COP_GIT_REVISION "%s"\n#define COP_COMPILER "%s"\n#define COP_BUILD_FLAGS "%s %s"\n' \
	  '$(VERSION)' '$(GIT_REVISION)' '$(CC_VERSION)' '$(FLAVOUR)' '$(OPT)' > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(BUILD)/version.h
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(MPICC) $(CFLAGS_ALL) -I$(BUILD) -MMD -MP -c $< -o $@
$(BUILD)/obj/src/cli/version.o $(BUILD)/obj/src/run/provenance.o: $(BUILD)/version.h

ifneq ($(filter asan fuzz,$(FLAVOUR)),)
# gcc's undefined-behaviour instrumentation takes minutes on the unrolled vector kernels: they keep the address
# checks; the same templates compiled as plain C (sign_plain.c, sparse_plain.c, train_plain.c) have both
$(BUILD)/obj/src/la/sign_avx%.o $(BUILD)/obj/src/la/sign_sse%.o $(BUILD)/obj/src/la/sparse_avx%.o $(BUILD)/obj/src/la/train_avx%.o: CFLAGS_ALL += -fno-sanitize=undefined
endif
ifeq ($(FLAVOUR),tsan)
# the same for the thread sanitizer: kernels share nothing between threads
$(BUILD)/obj/src/la/sign_%.o $(BUILD)/obj/src/la/sparse_%.o $(BUILD)/obj/src/la/train_%.o: CFLAGS_ALL += -fno-sanitize=thread
endif

$(BUILD)/libcoppice.a: $(OBJ)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/coppice: $(BUILD)/obj/src/cli/main.o $(BUILD)/libcoppice.a
	@echo "  LINK  $@"
	$(Q)$(MPICC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/obj/tests/support/support.o $(BUILD)/libcoppice.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(MPICC) $(OPT) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
.SECONDARY:
-include $(OBJ:.o=.d) $(BUILD)/obj/src/cli/main.d $(TEST_SRC:%.c=$(BUILD)/obj/%.d) $(BUILD)/obj/tests/support/support.d
tests: $(TEST_BIN)

setup:
	@jobs/setup.sh
run: setup
	@$(MAKE) -j$$(nproc) all
	@jobs/quickstart.sh
check: setup
	@$(MAKE) -j$$(nproc) all tests
	@$(MAKE) check-built
check-built: all tests
	@$(PYTHON) tests/support/run.py --build $(BUILD) $(TESTS)
asan:
	@$(MAKE) -j$$(nproc) FLAVOUR=asan all tests
	@$(PYTHON) tests/support/run.py --build build-asan --sanitize $(TESTS)
tsan:
	@$(MAKE) -j$$(nproc) FLAVOUR=tsan all
	@$(PYTHON) tests/support/under.py thread build-tsan
valgrind: all tests
	@$(PYTHON) tests/support/run.py --build $(BUILD) --valgrind $(TESTS)
	@$(PYTHON) tests/support/under.py memory $(BUILD)
fuzzers: $(filter $(BUILD)/tests/fuzz/%,$(TEST_BIN))
fuzz: fuzzers
	@command -v clang >/dev/null || { echo 'make fuzz needs clang with its libFuzzer: apt-get install clang' >&2; exit 1; }
	@$(MAKE) -j$$(nproc) FLAVOUR=fuzz CC=clang LDFLAGS=-fsanitize=fuzzer fuzzers
	@tests/fuzz/run.sh $(or $(SECONDS),60) $(TARGET)
# mpicc's own include paths, as headers that are not ours
analyse: $(BUILD)/version.h
	@$(PYTHON) tests/support/analyse.py --tools '$(or $(TOOLS),gcc clang-tidy cppcheck)' \
	  --flags '$(CFLAGS_ALL) -I$(BUILD) $(patsubst -I%,-isystem %,$(shell $(MPICC) --showme:compile 2>/dev/null || $(MPICC) -compile-info | grep -o -e "-I[^ ]*"))' $(FILES)
torture: all
	@$(PYTHON) tests/support/torture.py $(or $(N),100) $(or $(SEED),1)
bench: all
	@OPENBLAS_NUM_THREADS=1 $(BUILD)/coppice bench eval

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/coppice $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/doc/coppice $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BUILD)/coppice $(DESTDIR)$(PREFIX)/bin/coppice
	$(BUILD)/coppice help --man > $(DESTDIR)$(PREFIX)/share/man/man1/coppice.1
	$(BUILD)/coppice help --completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/coppice
	cp -R configs jobs slurm $(DESTDIR)$(PREFIX)/share/coppice/
	cp -R README.md docs $(DESTDIR)$(PREFIX)/share/doc/coppice/
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/coppice $(DESTDIR)$(PREFIX)/share/man/man1/coppice.1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/coppice
	rm -rf $(DESTDIR)$(PREFIX)/share/coppice $(DESTDIR)$(PREFIX)/share/doc/coppice

format:
	clang-format -i $(wildcard include/coppice/*.h src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch])
lint:
	@$(PYTHON) tests/support/lint.py
clean:
	rm -rf build build-debug build-asan build-tsan build-cov
info:
	@echo "version $(VERSION)  flavour $(FLAVOUR)  CC $(CC)  MPICC $(MPICC)  PREFIX $(PREFIX)"
help:
	@printf '%s\n' \
	 'make run        install what is missing, build, run the quickstart search on all cores' \
	 'make check      install what is missing, build, run all tests (TESTS=unit or a name to select)' \
	 'make            build build/coppice' \
	 'make install    PREFIX=/usr/local DESTDIR=' \
	 'make asan       the tests under the address and undefined-behaviour sanitizers' \
	 'make tsan       whole runs on several ranks under the thread sanitizer' \
	 'make valgrind   the tests, and such runs, under valgrind' \
	 'make analyse    gcc -fanalyzer, clang-tidy and cppcheck over src (TOOLS="gcc cppcheck", FILES=src/par to select)' \
	 'make fuzz       hostile input to every reader, with clang (SECONDS=60 each; TARGET="idx csv" to select)' \
	 'make torture    kills a run N=100 times, SEED=1, in every way that is known; must end as if nothing had happened' \
	 'make bench      throughput of the evaluators on this machine' \
	 'make format     clang-format;   make lint: the rules of the house' \
	 'make clean info help' \
	 'variables: CC MPICC FLAVOUR=release|debug|asan|cov WERROR=1 PREFIX DESTDIR HDF5_PKG HDF5_HL BLAS_PKG V=1'
FORCE:

/* Hostile configurations: text to the reader, the checks and the writer. */
#include "fuzz.h"

#include "coppice/run.h"

static void run(const uint8_t *bytes, size_t count) {
    cop_conf *conf = NULL;
    char *text = cop_alloc(count + 1, 1);
    if (count) memcpy(text, bytes, count);
    cop_status status = cop_conf_parse(&conf, cop_run_schema(), text, "hostile.ini");
    FUZZ_REQUIRE((status == COP_OK) == (conf != NULL));
    fuzz_judge(status);
    if (conf) {
        cop_buf out = {0};
        fuzz_judge(cop_conf_check(conf));
        cop_conf_write(conf, &out, COP_CONF_ALL);
        cop_conf *again = NULL;
        /* what was accepted is written so that it is accepted */
        status = cop_conf_parse(&again, cop_run_schema(), cop_buf_text(&out), "written.ini");
        FUZZ_REQUIRE(status == COP_OK);
        cop_conf_destroy(again);
        cop_buf_clear(&out);
        fuzz_judge(cop_conf_set(conf, "run.seed=7"));
        cop_conf_destroy(conf);
    }
    cop_free(text);
}

static void seeds(fuzz_add add) {
    static const char *const texts[] = {"[run]\nname = \"a b\"\nseed = 9007199254740992\n",
                                        "; comment\n[task.digits]\nsource = glyphs\nsamples = "
                                        "200\n\n[evaluate]\nshared = 0.5 1 2\n",
                                        "[network]\ninput = 1x8x8\nlayers = conv2d(3,3) relu "
                                        "maxpool(2)\n         flatten dense(4)\n",
                                        "include = other.ini\n[run]\nseed = -1\n",
                                        "[base]\nepochs = 1e3\nrate = nan\n",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(texts[i], strlen(texts[i]));
}

const fuzz_target fuzz_this = {"ini", run, seeds};

/* Hostile tables. */
#include "task.h"

static const cop_section sections[] = {{"task.*", "tasks", cop_task_options}};
static const cop_schema schema = {sections, 1};

/* One byte chooses how the table is read; the rest is the table. */
static void run(const uint8_t *bytes, size_t count) {
    static const char *const how[] = {
        "", "header = no\n",   "label = first\n",           "label = 1\n",   "separator = tab\n",
        "", "holdout = 0.5\n", "normalise = standardise\n", "header = yes\n"};
    if (count < 1) return;
    fuzz_file("t.csv", bytes + 1, count - 1);
    char *text = cop_sprintf("[task.t]\nsource = csv\nfile = t.csv\n%s",
                             how[bytes[0] % (sizeof how / sizeof *how)]);
    cop_conf *conf = NULL;
    cop_status status = cop_conf_parse(&conf, &schema, text, "test");
    cop_free(text);
    if (status == COP_OK)
        fuzz_load_task(conf, "t", COP_SPLIT_TRAIN);
    else
        fuzz_judge(status);
    cop_conf_destroy(conf);
}

static void seeds(fuzz_add add) {
    static const char *const texts[] = {"0a,b,class\n1,2,x\n3,4e-3,y\n-5,.5,x\n7,8,y\n",
                                        "11;2;0\n3;4;1\n5;6;0\n7;8;1\n",
                                        "2\"a,b\",1,2\nb,3,4\r\n\"a,b\",5,6\nb,7,8\n",
                                        "41\t2\tx\n3\t4\ty\n",
                                        "31 2 0\n3 4 1\n",
                                        "6a,b\n1,0\n2,0\n3,1\n4,1\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(texts[i], strlen(texts[i]));
}

const fuzz_target fuzz_this = {"csv", run, seeds};

/* What every source of samples promises, built in or reading files. */
#include "../unit/data_support.h"

#include <math.h>

/* A short section for each source; a source without one fails the test that says so. */
static const struct {
    const char *source, *lines;
} sections[] = {
    {"idx", "images = i\nlabels = l\ntest_images = i\ntest_labels = l\n"},
    {"csv", "file = t.csv\nholdout = 0.25\n"},
    {"libsvm", "file = t.svm\nholdout = 0.25\n"},
    {"cifar", "batches = c\ntest_batches = c\n"},
    {"glyphs-digits", "train_samples = 60\nevolve_samples = 40\ntest_samples = 40\n"},
    {"glyphs-letters", "train_samples = 60\nevolve_samples = 40\ntest_samples = 40\n"},
    {"binary-clusters", "train_samples = 60\nevolve_samples = 40\ntest_samples = 40\n"},
    {"blobs", "train_samples = 60\nevolve_samples = 40\ntest_samples = 40\n"},
};

static void write_files(void) {
    unsigned char images[16 + 20 * 12] = {0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 4},
                                   labels[8 + 20] = {0, 0, 8, 1, 0, 0, 0, 20};
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
    for (size_t i = 16; i < sizeof images; i++) images[i] = (unsigned char)cop_rng_below(&rng, 256);
    for (size_t i = 0; i < 20; i++) labels[8 + i] = (unsigned char)(i % 3);
    data_file("i", images, sizeof images);
    data_file("l", labels, sizeof labels);
    cop_buf text = {0};
    for (int i = 0; i < 24; i++) cop_buf_printf(&text, "%d,%d,%c\n", i, i * i, 'a' + i % 3);
    data_text("t.csv", cop_buf_text(&text));
    cop_buf_reset(&text);
    for (int i = 0; i < 24; i++) cop_buf_printf(&text, "%d 1:%d 4:%d\n", i % 3, i, i * i);
    data_text("t.svm", cop_buf_text(&text));
    cop_buf_clear(&text);
    static unsigned char batch[12 * 3073];
    for (size_t i = 0; i < sizeof batch; i++)
        batch[i] = (unsigned char)cop_rng_below(&rng, i % 3073 ? 256 : 3);
    data_file("c", batch, sizeof batch);
}

static char *section_of(const cop_source *source, const char *more) {
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i].source, source->name) == 0)
            return cop_sprintf("source = %s\n%s%s", source->name, sections[i].lines, more);
    fail_msg("source %s has no section in this test: give it one", source->name);
    return NULL;
}

static cop_dataset *load(const cop_source *source, const char *more, cop_split split) {
    char *lines = section_of(source, more);
    cop_dataset *set = data_load(lines, split, test_scratch());
    cop_free(lines);
    return set;
}

static void every_source_is_described(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    assert_true(count >= 8);
    for (size_t i = 0; i < count; i++) {
        assert_true(sources[i]->name[0] && sources[i]->summary[0] && sources[i]->paper);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(sources[i]->name, sources[j]->name);
        for (size_t k = 0; sources[i]->uses[k]; k++) {
            const cop_option *o = cop_task_options;
            while (o->key && strcmp(o->key, sources[i]->uses[k]) != 0) o++;
            assert_non_null(o->key);
        }
    }
}

static void splits_are_complete_and_finite(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++)
        for (int split = 0; split < 3; split++) {
            cop_dataset *set = load(sources[s], "", (cop_split)split);
            size_t features = cop_dataset_features(set);
            assert_true(set->samples > 0 && features > 0 && set->classes > 1);
            assert_string_equal(set->name, "t");
            assert_false(set->borrowed);
            for (size_t i = 0; i < set->samples; i++)
                assert_true(set->label[i] >= 0 && set->label[i] < set->classes);
            for (size_t i = 0; i < set->samples * features; i++) assert_true(isfinite(set->x[i]));
            cop_dataset_destroy(set);
        }
}

static void loading_twice_gives_the_same_bits(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++) {
        char one[COP_HASH_HEX], two[COP_HASH_HEX];
        for (int k = 0; k < 2; k++) {
            cop_dataset *set = load(sources[s], "", COP_SPLIT_TEST);
            cop_dataset_digest(set, k ? two : one);
            cop_dataset_destroy(set);
        }
        assert_string_equal(one, two);
    }
}

/* A subset is these samples of the whole, bit for bit, whatever is read around them. */
static void subsets_are_parts_of_the_whole(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++) {
        cop_dataset *all = load(sources[s], "normalise = none\n", COP_SPLIT_TRAIN),
                    *part = load(sources[s], "normalise = none\ntrain_skip = 3\ntrain_limit = 5\n",
                                 COP_SPLIT_TRAIN);
        size_t features = cop_dataset_features(all);
        assert_int_equal(part->samples, 5);
        assert_memory_equal(part->x, all->x + 3 * features, 5 * features * sizeof(float));
        assert_memory_equal(part->label, all->label + 3, 5 * sizeof(int32_t));
        cop_dataset_destroy(all);
        cop_dataset_destroy(part);
    }
}

static void generated_samples_do_not_depend_on_how_many(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++) {
        if (!sources[s]->built_in) continue;
        char *few = cop_sprintf("source = %s\nnormalise = none\nlabel_noise = 0.5\n"
                                "train_samples = 7",
                                sources[s]->name),
             *many = cop_sprintf("source = %s\nnormalise = none\nlabel_noise = 0.5\n"
                                 "train_samples = 30\n"
                                 "evolve_samples = 7\ntest_samples = 7",
                                 sources[s]->name),
             *seeded = cop_sprintf("source = %s\nnormalise = none\ntrain_samples = 7\nseed = 2",
                                   sources[s]->name);
        cop_dataset *a = data_load(few, COP_SPLIT_TRAIN, NULL),
                    *b = data_load(many, COP_SPLIT_TRAIN, NULL),
                    *other[] = {data_load(many, COP_SPLIT_EVOLVE, NULL),
                                data_load(many, COP_SPLIT_TEST, NULL),
                                data_load(seeded, COP_SPLIT_TRAIN, NULL)};
        size_t bytes = 7 * cop_dataset_features(a) * sizeof(float);
        assert_memory_equal(a->x, b->x, bytes);
        assert_memory_equal(a->label, b->label, 7 * sizeof(int32_t));
        for (size_t k = 0; k < 3; k++) {
            assert_memory_not_equal(a->x, other[k]->x, bytes);
            for (size_t j = 0; j < k; j++) assert_memory_not_equal(other[j]->x, other[k]->x, bytes);
        }
        cop_dataset_destroy(a);
        cop_dataset_destroy(b);
        for (size_t k = 0; k < 3; k++) cop_dataset_destroy(other[k]);
        cop_free(few);
        cop_free(many);
        cop_free(seeded);
    }
}

static void sources_of_files_ask_for_the_folder(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++) {
        char *lines = section_of(sources[s], "");
        cop_conf *conf = data_conf(lines);
        cop_status status = cop_task_check(conf, "t", NULL);
        if (sources[s]->built_in)
            assert_ok(status);
        else
            assert_fails(status, COP_E_CONFIG, "--data DIR");
        assert_ok(cop_task_check(conf, "t", test_scratch()));
        cop_conf_destroy(conf);
        cop_free(lines);
    }
}

static void foreign_options_are_refused_by_name(void **state) {
    (void)state;
    size_t count;
    const cop_source *const *sources = cop_sources(&count);
    for (size_t s = 0; s < count; s++) {
        const char *foreign = sources[s]->built_in ? "file = x" : "noise = 0.5";
        char *lines = section_of(sources[s], foreign);
        data_refused(lines, COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                     "does not use this option");
        cop_free(lines);
    }
}

static int setup(void **state) {
    (void)state;
    write_files();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_source_is_described),
        cmocka_unit_test(splits_are_complete_and_finite),
        cmocka_unit_test(loading_twice_gives_the_same_bits),
        cmocka_unit_test(subsets_are_parts_of_the_whole),
        cmocka_unit_test(generated_samples_do_not_depend_on_how_many),
        cmocka_unit_test(sources_of_files_ask_for_the_folder),
        cmocka_unit_test(foreign_options_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* IDX files: what they hold, in which orientation, and what is refused. */
#include "data_support.h"

#include <zlib.h>

#define FILES "source = idx\nimages = i\nlabels = l\ntest_images = i\ntest_labels = l\n"
#define RAW FILES "normalise = none\n"

/* Two images of 2 rows x 3 columns. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                       0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};
static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 7};

static void good_files(void) {
    data_file("i", images, sizeof images);
    data_file("l", labels, sizeof labels);
}

static void images_and_labels_are_read(void **state) {
    (void)state;
    good_files();
    cop_dataset *set = data_load(RAW, COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(set->samples, 2);
    assert_int_equal(set->channels, 1);
    assert_int_equal(set->height, 2);
    assert_int_equal(set->width, 3);
    assert_int_equal(set->classes, 2);
    for (size_t i = 0; i < 12; i++) assert_true(set->x[i] == (float)images[16 + i]);
    assert_int_equal(set->label[0], 0); /* labels 4 and 7 become 0 and 1 */
    assert_int_equal(set->label[1], 1);
    assert_string_equal(set->class_names[1], "7");
    cop_dataset_destroy(set);
}

static void orientation_swaps_rows_and_columns(void **state) {
    (void)state;
    good_files();
    cop_dataset *set = data_load(RAW "orientation = transposed", COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(set->height, 3);
    assert_int_equal(set->width, 2);
    const float wanted[] = {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 255};
    for (size_t i = 0; i < 12; i++) assert_true(set->x[i] == wanted[i]);
    cop_dataset_destroy(set);
}

static void fixed_normalisation_is_that_of_the_thesis(void **state) {
    (void)state;
    good_files();
    cop_dataset *set = data_load(FILES, COP_SPLIT_TEST, test_scratch());
    for (size_t i = 0; i < 12; i++)
        assert_near(set->x[i], (images[16 + i] / 255.0 - 0.1307) / 0.3081, 1e-6);
    cop_dataset_destroy(set);
}

static void colour_images_are_channel_major(void **state) {
    (void)state;
    const unsigned char colour[] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1,
                                    0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9};
    good_files();
    data_file("i", colour, sizeof colour);
    cop_dataset *set = data_load(RAW "orientation = transposed", COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(set->channels, 3);
    assert_int_equal(set->height, 2);
    assert_int_equal(set->width, 1);
    for (size_t i = 0; i < 6; i++) assert_true(set->x[i] == (float)(i + 1));
    cop_dataset_destroy(set);
}

static void gzip_is_told_by_content_and_must_be_whole(void **state) {
    (void)state;
    good_files();
    enum { SAMPLES = 5000 };
    unsigned char *big = cop_alloc(16 + SAMPLES * 6, 1), *tags = cop_alloc(8 + SAMPLES, 1);
    memcpy(big, images, 16);
    memcpy(tags, labels, 8);
    big[6] = tags[6] = SAMPLES >> 8;
    big[7] = tags[7] = SAMPLES & 255;
    cop_rng rng = cop_rng_at(1, 0, 0, COP_FOR_TEST);
    for (size_t i = 0; i < SAMPLES * 6; i++) big[16 + i] = (unsigned char)cop_rng_below(&rng, 256);
    for (size_t i = 0; i < SAMPLES; i++) tags[8 + i] = (unsigned char)(i % 10);
    gzFile gz = gzopen(test_path("i"), "wb");
    assert_int_equal(gzwrite(gz, big, 16 + SAMPLES * 6), 16 + SAMPLES * 6);
    gzclose(gz);
    data_file("l", tags, 8 + SAMPLES);
    cop_dataset *set = data_load(RAW, COP_SPLIT_TRAIN, test_scratch());
    assert_int_equal(set->samples, SAMPLES);
    assert_true(set->x[SAMPLES * 6 - 1] == (float)big[16 + SAMPLES * 6 - 1]);
    cop_dataset_destroy(set);

    /* cut anywhere, or with a byte changed, it is refused, also when the cut samples are not wanted
     */
    FILE *file = fopen(test_path("i"), "rb");
    unsigned char *bytes = cop_alloc(1 << 16, 1);
    size_t length = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    for (size_t cut = length - 1; cut > 18; cut -= cut / 3) {
        data_file("i", bytes, cut);
        data_refused(RAW "train_limit = 1", COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "i: ");
    }
    bytes[length - 6] ^= 1; /* the checksum */
    data_file("i", bytes, length);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "damaged");
    cop_free(bytes);
    cop_free(big);
    cop_free(tags);
}

static void every_cut_file_is_refused(void **state) {
    (void)state;
    good_files();
    for (size_t cut = 0; cut < sizeof images; cut++) {
        data_file("i", images, cut);
        data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "i: ");
    }
    data_file("i", images, sizeof images);
    for (size_t cut = 0; cut < sizeof labels; cut++) {
        data_file("l", labels, cut);
        data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "l: ");
    }
}

static void refuse_images(size_t at, unsigned char value, const char *message) {
    unsigned char bytes[sizeof images];
    memcpy(bytes, images, sizeof images);
    bytes[at] = value;
    data_file("i", bytes, sizeof bytes);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, message);
}

static void hostile_headers_are_ordinary_errors(void **state) {
    (void)state;
    good_files();
    refuse_images(0, 'P', "is not an IDX file");
    refuse_images(2, 0x0d, "IDX type 0x0d");
    refuse_images(3, 1, "exchanged");
    refuse_images(3, 200, "200 dimensions");
    refuse_images(4, 255, "more than the file can hold");
    refuse_images(7, 1, "holds 1 images, but");
    refuse_images(8, 255, "values a sample");
    refuse_images(11, 0, "dimension 2 is 0");
    refuse_images(15, 2, "more bytes than its header says");
    unsigned char huge[20] = {0, 0, 8, 4};
    memset(huge + 4, 255, 16);
    data_file("i", huge, sizeof huge);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "values a sample");
    data_file("i", images, sizeof images);
    unsigned char more[sizeof labels + 1] = {0};
    memcpy(more, labels, sizeof labels);
    data_file("l", more, sizeof more);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "more bytes than");
    more[7] = 3;
    data_file("l", more, sizeof more);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "holds 2 images, but");
    data_file("l", images, sizeof images);
    data_refused(RAW, COP_SPLIT_TRAIN, test_scratch(), COP_E_FORMAT, "exchanged");
}

/* A gzipped file of @p size bytes that begin with @p header and cannot be compressed further. */
static void zipped(const char *name, const unsigned char *header, size_t count, size_t size) {
    unsigned char *bytes = cop_alloc(size, 1);
    cop_rng rng = cop_rng_at(1, 1, 1, COP_FOR_TEST);
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)cop_rng_below(&rng, 256);
    memcpy(bytes, header, count);
    gzFile file = gzopen(test_path(name), "wb");
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
    assert_int_equal(gzclose(file), Z_OK);
    cop_free(bytes);
}

/* What a compressed file may hold is a thousand times its size: the limit on memory goes before. */
static void headers_ask_for_no_more_than_the_limit(void **state) {
    (void)state;
    const unsigned char many[] = {0, 0, 8, 1, 6, 0, 0, 0}; /* 100 million labels */
    const unsigned char large[] = {0, 0, 8,  3, 0, 0, 0,  2,
                                   0, 0, 16, 0, 0, 0, 16, 0}; /* 2 of 4096 x 4096 */
    cop_dataset *set = NULL;
    uint64_t before = cop_memory_peak();
    cop_memory_limit(1 << 20);
    good_files();
    zipped("l", many, sizeof many, 120000);
    assert_fails(data_try(&set, RAW, COP_SPLIT_TRAIN, test_scratch()), COP_E_MEMORY, "/l: ");
    good_files();
    zipped("i", large, sizeof large, 40000);
    assert_fails(data_try(&set, RAW, COP_SPLIT_TRAIN, test_scratch()), COP_E_CONFIG,
                 "[task.t]: its samples: 128.0 MiB of memory");
    cop_memory_limit(0);
    assert_true(cop_memory_peak() - before < (uint64_t)64 << 20);
}

static void missing_files_and_pairs_are_named(void **state) {
    (void)state;
    good_files();
    data_refused(FILES, COP_SPLIT_TRAIN, NULL, COP_E_CONFIG, "--data");
    data_refused(FILES "evolve_images = i", COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG,
                 "together with evolve_images");
    data_refused("source = idx\nimages = i\nlabels = l", COP_SPLIT_TRAIN, test_scratch(),
                 COP_E_CONFIG, "test_images");
    assert_int_equal(remove(test_path("l")), 0);
    data_refused(FILES, COP_SPLIT_TRAIN, test_scratch(), COP_E_CONFIG, "cannot be read");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_labels_are_read),
        cmocka_unit_test(orientation_swaps_rows_and_columns),
        cmocka_unit_test(fixed_normalisation_is_that_of_the_thesis),
        cmocka_unit_test(colour_images_are_channel_major),
        cmocka_unit_test(gzip_is_told_by_content_and_must_be_whole),
        cmocka_unit_test(every_cut_file_is_refused),
        cmocka_unit_test(hostile_headers_are_ordinary_errors),
        cmocka_unit_test(headers_ask_for_no_more_than_the_limit),
        cmocka_unit_test(missing_files_and_pairs_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is written reads back: IDX, CSV, gzipped or not; pictures are PNG files and characters. */
#include "data_support.h"

#include "coppice/io.h"

#include <png.h>

static cop_dataset *glyphs(const char *more) {
    char *lines =
        cop_sprintf("source = glyphs-letters\nclasses = c, a, b\ntrain_samples = 520\n%s", more);
    cop_dataset *set = data_load(lines, COP_SPLIT_TRAIN, NULL);
    cop_free(lines);
    return set;
}

static void same_samples(const cop_dataset *a, const cop_dataset *b) {
    assert_int_equal(a->samples, b->samples);
    assert_int_equal(cop_dataset_features(a), cop_dataset_features(b));
    for (size_t i = 0; i < a->samples; i++) assert_int_equal(a->label[i], b->label[i]);
    for (size_t i = 0; i < a->samples * cop_dataset_features(a); i++)
        assert_true(a->x[i] == b->x[i]);
}

/* Bytes of the source survive normalisation and the way to a file and back, to the last bit. */
static void idx_reads_back(void **state) {
    (void)state;
    cop_dataset *set = glyphs("");
    const char *const names[][2] = {{"i", "l"}, {"i.gz", "l.gz"}};
    for (size_t k = 0; k < 2; k++) {
        assert_ok(cop_write_idx(set, test_path(names[k][0]), test_path(names[k][1])));
        char *lines = cop_sprintf("source = idx\nimages = %s\nlabels = %s\ntest_images = %s\n"
                                  "test_labels = %s",
                                  names[k][0], names[k][1], names[k][0], names[k][1]);
        cop_dataset *back = data_load(lines, COP_SPLIT_TRAIN, test_scratch());
        assert_int_equal(back->height, 28);
        same_samples(set, back);
        cop_dataset_destroy(back);
        cop_free(lines);
    }
    unsigned char head[2] = {0};
    FILE *file = fopen(test_path("i.gz"), "rb");
    assert_int_equal(fread(head, 1, 2, file), 2);
    fclose(file);
    assert_true(head[0] == 0x1f && head[1] == 0x8b);
    cop_dataset_destroy(set);
}

static void csv_reads_back(void **state) {
    (void)state;
    const char *const names[] = {"t.csv", "t.csv.gz"};
    cop_dataset *set =
        data_load("source = binary-clusters\ntrain_samples = 200", COP_SPLIT_TRAIN, NULL);
    set->x[0] = 1.17549435e-38F; /* hard numbers: 9 digits bring each back */
    set->x[1] = -3.40282347e+38F;
    set->x[2] = 16777217.0F / 3;
    for (size_t k = 0; k < 2; k++) {
        assert_ok(cop_write_csv(set, test_path(names[k])));
        char *lines = cop_sprintf("source = csv\nfile = %s\ntest_file = %s\nnormalise = none",
                                  names[k], names[k]);
        cop_dataset *back = data_load(lines, COP_SPLIT_TRAIN, test_scratch());
        same_samples(set, back);
        cop_dataset_destroy(back);
        cop_free(lines);
    }
    cop_dataset_destroy(set);
    set = glyphs("train_limit = 3");
    assert_ok(cop_write_csv(set, test_path("t.csv")));
    cop_dataset *back = data_load("source = csv\nfile = t.csv\ntest_file = t.csv\n"
                                  "normalise = none\nclasses = c, a, b\nshape = 1, 28, 28",
                                  COP_SPLIT_TRAIN, test_scratch());
    same_samples(set, back); /* labels are written by name */
    cop_dataset_destroy(back);
    cop_dataset_destroy(set);
}

static void files_that_cannot_be_written_are_named(void **state) {
    (void)state;
    cop_dataset *set = cop_dataset_create("x", 1, 1, 1, 1, 300);
    char *path = cop_sprintf("%s/none/file", test_scratch());
    assert_fails(cop_write_csv(set, path), COP_E_IO, "none/file");
    assert_fails(cop_write_idx(set, path, path), COP_E_FORMAT, "300 classes");
    assert_fails(cop_write_contact_png(set, 1, path), COP_E_IO, "none/file");
    cop_free(path);
    cop_dataset_destroy(set);
}

/* One row of the sheet per class, samples in order, classes without samples left grey. */
static void contact_sheets_show_classes_in_rows(void **state) {
    (void)state;
    cop_dataset *set = cop_dataset_create("x", 3, 1, 60, 70, 3);
    set->label[0] = 2;
    set->label[1] = 0;
    set->label[2] = 2;
    for (size_t i = 0; i < 3; i++)
        for (size_t p = 0; p < 4200; p++)
            set->x[i * 4200 + p] = (float)i; /* black, middle, white */
    assert_ok(cop_write_contact_png(set, 2, test_path("sheet.png")));
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    assert_true(png_image_begin_read_from_file(&image, test_path("sheet.png")));
    image.format = PNG_FORMAT_GRAY;
    assert_int_equal(image.width, 2 * 72 + 2);
    assert_int_equal(image.height, 3 * 62 + 2);
    unsigned char *pixel = cop_alloc(PNG_IMAGE_SIZE(image), 1);
    assert_true(png_image_finish_read(&image, NULL, pixel, 0, NULL));
    const unsigned char wanted[3][2] = {{128, 96}, {96, 96}, {0, 255}};
    for (size_t c = 0; c < 3; c++)
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(pixel[(c * 62 + 30) * image.width + k * 72 + 35], wanted[c][k]);
    cop_free(pixel);
    cop_dataset_destroy(set);
}

static void terminals_show_images_and_tables(void **state) {
    (void)state;
    cop_dataset *set = cop_dataset_create("x", 2, 1, 4, 3, 2);
    set->label[1] = 1;
    set->x[0 * 12 + 1] = set->x[0 * 12 + 4] = 1; /* a dot that fills one character */
    set->x[1 * 12 + 11] = 1;                     /* and one that fills half of one */
    char text[512] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    cop_print_samples(set, 5, file); /* more than there are */
    fclose(file);
    assert_string_equal(text, "0    1    \n @        \n       =  \n");
    cop_dataset_destroy(set);
    set = cop_dataset_create("x", 1, 1, 1, 9, 2);
    set->x[0] = -0.5F;
    file = fmemopen(text, sizeof text, "w");
    cop_print_samples(set, 1, file);
    fclose(file);
    assert_true(strstr(text, "-0.5") && strstr(text, "..."));
    cop_dataset_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_reads_back),
        cmocka_unit_test(csv_reads_back),
        cmocka_unit_test(files_that_cannot_be_written_are_named),
        cmocka_unit_test(contact_sheets_show_classes_in_rows),
        cmocka_unit_test(terminals_show_images_and_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

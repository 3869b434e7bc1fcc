/* The ground floor: masks, keyed random numbers, hashing, text, errors. */
#include "../support/support.h"

#include <math.h>
#include <string.h>

static void masks_count_copy_and_differ(void **state) {
    (void)state;
    for (size_t bits = 0; bits < 200; bits += 7) {
        cop_mask a, b;
        cop_mask_init(&a, bits);
        cop_mask_init(&b, bits);
        cop_mask_fill(&a);
        assert_int_equal(cop_mask_count(&a), bits);
        assert_int_equal(cop_mask_distance(&a, &b), bits);
        for (size_t begin = 0; begin <= bits; begin += 13)
            for (size_t end = begin; end <= bits; end += 11) {
                assert_int_equal(cop_mask_count_range(&a, begin, end), end - begin);
                cop_mask_copy_range(&b, &a, begin, end);
                assert_int_equal(cop_mask_count(&b), end - begin);
                for (size_t i = 0; i < bits; i++)
                    assert_int_equal(cop_mask_get(&b, i), i >= begin && i < end);
                for (size_t i = begin; i < end; i++) cop_mask_unset(&b, i);
            }
        cop_mask_copy(&b, &a);
        assert_true(cop_mask_equal(&a, &b));
        cop_mask_clear(&a);
        cop_mask_clear(&b);
    }
}

/* Known answer of Random123's kat_vectors: philox4x32-10, counter 0, key 0. */
static void random_numbers_are_philox(void **state) {
    (void)state;
    cop_rng rng = cop_rng_at(0, 0, 0, 0);
    const uint32_t wanted[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
    for (int i = 0; i < 4; i++) assert_int_equal(cop_rng_u32(&rng), wanted[i]);
}

static void streams_are_functions_of_their_address(void **state) {
    (void)state;
    cop_rng a = cop_rng_at(1, 2, 3, COP_FOR_TEST), b = cop_rng_at(1, 2, 3, COP_FOR_TEST);
    for (int i = 0; i < 100; i++) assert_true(cop_rng_u64(&a) == cop_rng_u64(&b));
    cop_rng other[] = {cop_rng_at(2, 2, 3, COP_FOR_TEST), cop_rng_at(1, 3, 3, COP_FOR_TEST),
                       cop_rng_at(1, 2, 4, COP_FOR_TEST), cop_rng_at(1, 2, 3, COP_FOR_TEST + 1)};
    uint64_t first =
        cop_rng_u64(&(cop_rng){.key = {1, 0}, .counter = {0, COP_FOR_TEST, 3, 2}, .used = 4});
    for (size_t i = 0; i < 4; i++) assert_true(cop_rng_u64(&other[i]) != first);
}

static void bounded_draws_are_uniform(void **state) {
    (void)state;
    cop_rng rng = cop_rng_at(7, 0, 0, COP_FOR_TEST);
    enum { N = 7, DRAWS = 70000 };
    size_t seen[N] = {0};
    for (int i = 0; i < DRAWS; i++) seen[cop_rng_below(&rng, N)]++;
    double chi2 = 0;
    for (size_t i = 0; i < N; i++) chi2 += pow((double)seen[i] - 10000.0, 2) / 10000.0;
    assert_true(chi2 < 22.5); /* 6 degrees of freedom, p = 0.001 */
    for (int i = 0; i < 1000; i++) {
        assert_true(cop_rng_below(&rng, UINT64_C(1) << 40) < UINT64_C(1) << 40);
        double u = cop_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
    }
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double z = cop_rng_normal(&rng);
        sum += z;
        squares += z * z;
    }
    assert_near(sum / DRAWS, 0, 0.015);
    assert_near(squares / DRAWS, 1, 0.03);
}

static void many_draws_are_the_single_ones(void **state) {
    (void)state;
    for (size_t count = 0; count < 40; count++) {
        cop_rng one = cop_rng_at(3, 1, 4, COP_FOR_TEST), many = one;
        double draw[40];
        uint32_t word[40];
        for (size_t skip = count % 5; skip; skip--)
            assert_int_equal(cop_rng_u32(&one), cop_rng_u32(&many));
        cop_rng_uniforms(&many, draw, count);
        for (size_t i = 0; i < count; i++) assert_true(draw[i] == cop_rng_uniform(&one));
        assert_int_equal(cop_rng_u32(&one), cop_rng_u32(&many));
        cop_rng_words(&many, word, count);
        for (size_t i = 0; i < count; i++) assert_int_equal(word[i], cop_rng_u32(&one));
        assert_int_equal(cop_rng_u32(&one), cop_rng_u32(&many));
    }
}

static void samples_have_the_size_asked_for_and_are_uniform(void **state) {
    (void)state;
    enum { N = 67, K = 20, RUNS = 6700 };
    size_t seen[N] = {0};
    cop_mask mask;
    cop_mask_init(&mask, N);
    for (uint32_t run = 0; run < RUNS; run++) {
        cop_rng rng = cop_rng_at(5, 0, run, COP_FOR_TEST);
        cop_rng_sample(&rng, K, &mask);
        assert_int_equal(cop_mask_count(&mask), K);
        for (size_t i = 0; i < N; i++) seen[i] += cop_mask_get(&mask, i);
    }
    double chi2 = 0, expected = (double)RUNS * K / N;
    for (size_t i = 0; i < N; i++) chi2 += pow((double)seen[i] - expected, 2) / expected;
    assert_true(chi2 <
                107.3); /* below chi-square(66, p = 0.001), the draws being without replacement */
    cop_rng rng = cop_rng_at(5, 1, 0, COP_FOR_TEST);
    cop_rng_sample(&rng, N, &mask);
    assert_int_equal(cop_mask_count(&mask), N);
    cop_mask_clear(&mask);
    uint32_t order[10], times[10] = {0};
    for (uint32_t i = 0; i < 10; i++) order[i] = i;
    cop_rng_shuffle(&rng, order, 10);
    for (size_t i = 0; i < 10; i++) times[order[i]]++;
    for (size_t i = 0; i < 10; i++) assert_int_equal(times[i], 1);
}

/* Blocks that are copied, and those large enough to be moved. */
static void grown_memory_keeps_what_it_holds_and_its_alignment(void **state) {
    (void)state;
    size_t count = 0;
    uint32_t *numbers = NULL;
    for (size_t grown = 100; grown < 6000000; grown = grown * 5 / 2) {
        numbers = cop_realloc(numbers, count, grown, sizeof *numbers);
        assert_int_equal((uintptr_t)numbers % 64, 0);
        for (size_t k = 0; k < count; k++) assert_true(numbers[k] == (uint32_t)k * 2654435761u);
        for (size_t k = count; k < grown; k++) numbers[k] = (uint32_t)k * 2654435761u;
        count = grown;
    }
    numbers = cop_realloc(numbers, count, 1000, sizeof *numbers);
    for (size_t k = 0; k < 1000; k++) assert_true(numbers[k] == (uint32_t)k * 2654435761u);
    cop_free(numbers);
    cop_buf text = {0};
    cop_buf_reserve(&text, 3000000);
    const unsigned char *before = text.data;
    for (size_t k = 0; k < 300000; k++) cop_buf_add(&text, "0123456789", 10);
    assert_ptr_equal(before, text.data);
    assert_int_equal(text.length, 3000000);
    cop_buf_clear(&text);
}

static void hashing_is_sha256(void **state) {
    (void)state;
    char hex[COP_HASH_HEX];
    cop_hash *hash = cop_hash_create();
    cop_hash_add(hash, "abc", 3);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    FILE *file = fopen(test_path("abc"), "w");
    fputs("abc", file);
    fclose(file);
    char again[COP_HASH_HEX];
    assert_ok(cop_hash_file(test_path("abc"), again));
    assert_string_equal(hex, again);
    assert_fails(cop_hash_file(test_path("none"), again), COP_E_IO, "none: cannot be opened");
}

static void numbers_are_whole_texts(void **state) {
    (void)state;
    int64_t i;
    uint64_t u;
    double d;
    bool b;
    assert_true(cop_parse_i64("-12", &i) && i == -12);
    assert_true(cop_parse_u64("18446744073709551615", &u) && u == UINT64_MAX);
    assert_true(cop_parse_double("2.5e-3", &d) && d == 2.5e-3);
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"0", 0},
                 {"4096", 4096},
                 {"512M", 512u << 20},
                 {"1.5G", 3u << 29},
                 {"1.5GiB", 3u << 29},
                 {"2k", 2048},
                 {"1T", 1ull << 40},
                 {"0.3", 0}};
    static const char *const bad_size[] = {"",     "M",     "-1M", "1.5.2G", "512MB", "12Q",
                                           "0x10", "1e400", " 1M", "1M ",    "9e9T",  "inf"};
    uint64_t bytes;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        assert_true(cop_parse_bytes(sizes[k].text, &bytes) && bytes == sizes[k].bytes);
    for (size_t k = 0; k < sizeof bad_size / sizeof *bad_size; k++)
        assert_false(cop_parse_bytes(bad_size[k], &bytes));
    assert_true(cop_memory_peak() == 0 || cop_memory_peak() >= cop_memory_resident() / 2);
    assert_true(cop_parse_bool("Yes", &b) && b && cop_parse_bool("off", &b) && !b);
    const char *bad[] = {"", " 1", "1 ", "1x", "x", "--1", "99999999999999999999"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_false(cop_parse_i64(bad[k], &i));
    assert_false(cop_parse_u64("-1", &u));
    const char *bad_real[] = {"", "nan", "inf", "1e999", "0.5,", " 2"};
    for (size_t k = 0; k < sizeof bad_real / sizeof *bad_real; k++)
        assert_false(cop_parse_double(bad_real[k], &d));
    assert_false(cop_parse_bool("2", &b));
}

static void nearest_name_is_found(void **state) {
    (void)state;
    const char *names[] = {"tournament", "roulette", "softmax", "elite"};
    assert_string_equal(cop_nearest("tounament", names, 4), "tournament");
    assert_string_equal(cop_nearest("sotfmax", names, 4), "softmax");
    assert_string_equal(cop_nearest("tourn", names, 4), "tournament");
    assert_null(cop_nearest("completely-different", names, 4));
}

static void lists_split_and_errors_stay_on_one_line(void **state) {
    (void)state;
    cop_list list = {0};
    cop_list_split(&list, " a, b ,,c d ", ",");
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[2], "c d");
    cop_list_clear(&list);
    assert_int_equal(cop_fail(COP_E_IO, "bad\nname %d", 3), COP_E_IO);
    cop_fail_prefix(COP_E_IO, "file.ini:%d", 7);
    assert_string_equal(cop_error_message(), "file.ini:7: bad?name 3");
    cop_error_clear();
    assert_int_equal(cop_status_exit_code(COP_E_USAGE), 64);
    assert_int_equal(cop_status_exit_code(COP_E_CONFIG), 78);
    assert_int_equal(cop_status_exit_code(COP_E_STOPPED), 75);
    cop_buf buf = {0};
    for (int i = 0; i < 1000; i++) cop_buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.length, 3890);
    assert_int_equal(strlen(cop_buf_text(&buf)), buf.length);
    cop_buf_clear(&buf);
    char out[32];
    assert_string_equal(cop_format_bytes(1536, out), "1.5 KiB");
    assert_string_equal(cop_format_seconds(3725, out), "1h 02m");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_count_copy_and_differ),
        cmocka_unit_test(random_numbers_are_philox),
        cmocka_unit_test(streams_are_functions_of_their_address),
        cmocka_unit_test(bounded_draws_are_uniform),
        cmocka_unit_test(many_draws_are_the_single_ones),
        cmocka_unit_test(samples_have_the_size_asked_for_and_are_uniform),
        cmocka_unit_test(grown_memory_keeps_what_it_holds_and_its_alignment),
        cmocka_unit_test(hashing_is_sha256),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(nearest_name_is_found),
        cmocka_unit_test(lists_split_and_errors_stay_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

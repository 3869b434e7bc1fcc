#include "holdout.h"

#include <math.h>

bool cop_holdout_cuts(cop_split split, const cop_conf *conf, const char *section) {
    return cop_conf_real(conf, section, "holdout") > 0 &&
           (split != COP_SPLIT_EVOLVE || !cop_conf_text(conf, section, "evolve_file")[0]);
}

/* What is drawn: rows, or groups. */
static void draw(cop_mask *out, const int32_t *label, size_t items, size_t labels, double fraction,
                 uint64_t seed) {
    size_t *left = COP_NEW_ARRAY(size_t, labels);
    uint32_t *order = COP_NEW_ARRAY(uint32_t, items);
    for (size_t i = 0; i < items; i++) left[label[i]]++;
    for (size_t c = 0; c < labels; c++) left[c] = (size_t)llround((double)left[c] * fraction);
    for (size_t i = 0; i < items; i++) order[i] = (uint32_t)i;
    cop_rng rng = cop_rng_at(seed, 0, 1, COP_FOR_SPLIT);
    cop_rng_shuffle(&rng, order, items);
    for (size_t k = 0; k < items; k++) {
        size_t *n = &left[label[order[k]]];
        if (!*n) continue;
        cop_mask_set(out, order[k]);
        (*n)--;
    }
    cop_free(order);
    cop_free(left);
}

void cop_holdout_rows(size_t **kept, size_t *count, const int32_t *label, size_t rows,
                      size_t labels, const uint32_t *group, size_t groups, const cop_conf *conf,
                      const char *section, bool test) {
    const double fraction = cop_conf_real(conf, section, "holdout");
    const uint64_t seed = (uint64_t)cop_conf_int(conf, section, "seed");
    cop_mask out;
    *kept = COP_NEW_ARRAY(size_t, rows);
    *count = 0;
    if (group) {
        int32_t *first = COP_NEW_ARRAY(int32_t, groups);
        for (size_t i = rows; i-- > 0;) first[group[i]] = label[i];
        cop_mask_init(&out, groups);
        draw(&out, first, groups, labels, fraction, seed);
        cop_free(first);
    } else {
        cop_mask_init(&out, rows);
        draw(&out, label, rows, labels, fraction, seed);
    }
    for (size_t i = 0; i < rows; i++)
        if (cop_mask_get(&out, group ? group[i] : i) == test) (*kept)[(*count)++] = i;
    cop_mask_clear(&out);
}

cop_status cop_holdout_check(const cop_conf *conf, const char *section) {
    const bool test = cop_conf_text(conf, section, "test_file")[0],
               holdout = cop_conf_real(conf, section, "holdout") > 0;
    if (!test && !holdout)
        return cop_conf_fail(conf, section, "test_file",
                             "where do test samples come from? give test_file, or holdout = 0.2");
    if (test && holdout)
        return cop_conf_fail(conf, section, "holdout", "cannot be given together with test_file");
    return COP_OK;
}

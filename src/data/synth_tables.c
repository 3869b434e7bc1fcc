/* Generated tables: binary-clusters and blobs. */
#include "source.h"

#include <string.h>

enum { STREAM_CLUSTERS = 2, STREAM_BLOBS };
/* items of the shared stream; clusters follow */
enum { ITEM_VERTICES, ITEM_REDUNDANT, ITEM_REPEATED, ITEM_ORDER, ITEM_FIRST_CLUSTER };

typedef struct state {
    uint64_t seed;
    cop_split split;
    size_t classes, features, informative, redundant, repeated, clusters;
    double *centre;   /* binary-clusters: (classes*clusters, informative), cluster-major per class;
                         blobs: (classes, features) */
    double *mix;      /* (classes*clusters, informative, informative) */
    double *combine;  /* (informative, redundant) */
    uint32_t *copied; /* (repeated) */
    uint32_t *order;  /* (features) where each feature goes */
} state;

static void close_state(void *pointer) {
    state *s = pointer;
    cop_free(s->centre);
    cop_free(s->mix);
    cop_free(s->combine);
    cop_free(s->copied);
    cop_free(s->order);
    cop_free(s);
}

static size_t count_of(const cop_conf *conf, const char *section, const char *key) {
    return (size_t)cop_conf_int(conf, section, key);
}

static state *start(cop_raw *raw, const cop_conf *conf, const char *section, cop_split split,
                    uint32_t stream) {
    state *s = COP_NEW(state);
    s->seed = (uint64_t)cop_conf_int(conf, section, "seed");
    s->split = split;
    s->classes = count_of(conf, section, "class_count");
    s->features = count_of(conf, section, "features");
    raw->state = s;
    raw->close = close_state;
    raw->channels = raw->height = 1;
    raw->width = s->features;
    for (size_t c = 0; c < s->classes; c++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", c);
        cop_list_add(&raw->names, name);
    }
    cop_synth_labels(raw, conf, section, split, stream, s->classes);
    return s;
}

static void fill_uniform(cop_rng *rng, double *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = 2 * cop_rng_uniform(rng) - 1;
}

/* Distinct vertices of the hypercube, in a drawn order, one per cluster of any class. */
static void place_clusters(state *s, double separation) {
    size_t total = s->classes * s->clusters, corner = 0;
    cop_mask mask;
    cop_rng rng = cop_synth_shared(s->seed, STREAM_CLUSTERS, ITEM_VERTICES);
    uint32_t *vertex = COP_NEW_ARRAY(uint32_t, total);
    cop_mask_init(&mask, (size_t)1 << s->informative);
    cop_rng_sample(&rng, total, &mask);
    for (uint32_t v = 0; v < mask.bits; v++)
        if (cop_mask_get(&mask, v)) vertex[corner++] = v;
    cop_rng_shuffle(&rng, vertex, total);
    s->centre = COP_NEW_ARRAY(double, total * s->informative);
    for (size_t c = 0; c < total; c++)
        for (size_t d = 0; d < s->informative; d++)
            s->centre[c * s->informative + d] = vertex[c] >> d & 1 ? separation : -separation;
    cop_free(vertex);
    cop_mask_clear(&mask);
}

static void prepare_clusters(state *s, bool shuffle) {
    size_t total = s->classes * s->clusters, square = s->informative * s->informative;
    s->mix = COP_NEW_ARRAY(double, total *square);
    for (size_t c = 0; c < total; c++) {
        cop_rng rng = cop_synth_shared(s->seed, STREAM_CLUSTERS, ITEM_FIRST_CLUSTER + (uint32_t)c);
        fill_uniform(&rng, s->mix + c * square, square);
    }
    cop_rng rng = cop_synth_shared(s->seed, STREAM_CLUSTERS, ITEM_REDUNDANT);
    s->combine = COP_NEW_ARRAY(double, s->informative * s->redundant);
    fill_uniform(&rng, s->combine, s->informative * s->redundant);
    rng = cop_synth_shared(s->seed, STREAM_CLUSTERS, ITEM_REPEATED);
    s->copied = COP_NEW_ARRAY(uint32_t, s->repeated);
    for (size_t i = 0; i < s->repeated; i++)
        s->copied[i] = (uint32_t)cop_rng_below(&rng, s->informative + s->redundant);
    rng = cop_synth_shared(s->seed, STREAM_CLUSTERS, ITEM_ORDER);
    s->order = COP_NEW_ARRAY(uint32_t, s->features);
    for (size_t f = 0; f < s->features; f++) s->order[f] = (uint32_t)f;
    if (shuffle) cop_rng_shuffle(&rng, s->order, s->features);
}

/* Guyon 2003: a normal point, made correlated by the cluster's matrix, moved to the vertex; then
 * combinations, copies, and probes that know nothing of the class. */
static void draw_clusters(const state *s, size_t item, double *point) {
    size_t n = s->informative, class = item % s->classes,
           cluster = class * s->clusters + item / s->classes % s->clusters, f = n;
    const double *mix = s->mix + cluster * n * n, *centre = s->centre + cluster * n;
    cop_rng rng = cop_synth_rng(s->seed, STREAM_CLUSTERS, s->split, item);
    memcpy(point, centre, n * sizeof *point);
    for (size_t i = 0; i < n; i++) {
        double z = cop_rng_normal(&rng);
        for (size_t d = 0; d < n; d++) point[d] += z * mix[i * n + d];
    }
    for (size_t r = 0; r < s->redundant; r++, f++) {
        point[f] = 0;
        for (size_t d = 0; d < n; d++) point[f] += point[d] * s->combine[d * s->redundant + r];
    }
    for (size_t r = 0; r < s->repeated; r++) point[f++] = point[s->copied[r]];
    while (f < s->features) point[f++] = cop_rng_normal(&rng);
}

static cop_status read_clusters(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const state *s = raw->state;
    double *point = COP_NEW_ARRAY(double, s->features);
    for (size_t i = 0; i < count; i++) {
        draw_clusters(s, keep[i], point);
        for (size_t f = 0; f < s->features; f++) x[i * s->features + s->order[f]] = (float)point[f];
    }
    cop_free(point);
    return COP_OK;
}

static cop_status open_clusters(cop_raw *raw, const cop_conf *conf, const char *section,
                                cop_split split, const char *data_dir) {
    (void)data_dir;
    state *s = start(raw, conf, section, split, STREAM_CLUSTERS);
    raw->read = read_clusters;
    s->informative = count_of(conf, section, "informative");
    s->redundant = count_of(conf, section, "redundant");
    s->repeated = count_of(conf, section, "repeated");
    s->clusters = count_of(conf, section, "clusters");
    place_clusters(s, cop_conf_real(conf, section, "separation"));
    prepare_clusters(s, cop_conf_bool(conf, section, "shuffle_features"));
    return COP_OK;
}

static cop_status check_clusters(const cop_conf *conf, const char *section, const char *data_dir) {
    (void)data_dir;
    int64_t features = cop_conf_int(conf, section, "features"),
            informative = cop_conf_int(conf, section, "informative"),
            used = informative + cop_conf_int(conf, section, "redundant") +
                   cop_conf_int(conf, section, "repeated"),
            clusters = cop_conf_int(conf, section, "class_count") *
                       cop_conf_int(conf, section, "clusters");
    if (used > features)
        return cop_conf_fail(conf, section, "features",
                             "is less than the %lld informative, redundant and repeated ones",
                             (long long)used);
    if (clusters > (int64_t)1 << informative)
        return cop_conf_fail(
            conf, section, "clusters",
            "makes %lld clusters in all, but a hypercube of %lld dimensions has %lld "
            "vertices: raise informative",
            (long long)clusters, (long long)informative, (long long)((int64_t)1 << informative));
    return COP_OK;
}

static cop_status read_blobs(cop_raw *raw, const size_t *keep, size_t count, float *x) {
    const state *s = raw->state;
    for (size_t i = 0; i < count; i++) {
        cop_rng rng = cop_synth_rng(s->seed, STREAM_BLOBS, s->split, keep[i]);
        const double *centre = s->centre + keep[i] % s->classes * s->features;
        for (size_t f = 0; f < s->features; f++)
            x[i * s->features + f] = (float)(centre[f] + cop_rng_normal(&rng));
    }
    return COP_OK;
}

static cop_status open_blobs(cop_raw *raw, const cop_conf *conf, const char *section,
                             cop_split split, const char *data_dir) {
    (void)data_dir;
    state *s = start(raw, conf, section, split, STREAM_BLOBS);
    raw->read = read_blobs;
    double separation = cop_conf_real(conf, section, "separation");
    s->centre = COP_NEW_ARRAY(double, s->classes * s->features);
    for (size_t c = 0; c < s->classes; c++) {
        cop_rng rng = cop_synth_shared(s->seed, STREAM_BLOBS, (uint32_t)c);
        for (size_t f = 0; f < s->features; f++)
            s->centre[c * s->features + f] = separation * cop_rng_normal(&rng);
    }
    return COP_OK;
}

static cop_status check_blobs(const cop_conf *conf, const char *section, const char *data_dir) {
    (void)conf, (void)section, (void)data_dir;
    return COP_OK;
}

static const char *const clusters_use[] = {"train_samples",
                                           "evolve_samples",
                                           "test_samples",
                                           "label_noise",
                                           "class_count",
                                           "features",
                                           "informative",
                                           "redundant",
                                           "repeated",
                                           "clusters",
                                           "separation",
                                           "shuffle_features",
                                           NULL};
const cop_source cop_source_binary_clusters = {
    .name = "binary-clusters",
    .summary = "Madelon's construction: normal clusters at the vertices of a hypercube, with "
               "redundant, repeated and probe features.",
    .paper = "Guyon 2003, Design of experiments of the NIPS 2003 variable selection benchmark",
    .built_in = true,
    .table = true,
    .uses = clusters_use,
    .check = check_clusters,
    .open = open_clusters,
};

static const char *const blobs_use[] = {
    "train_samples", "evolve_samples", "test_samples", "label_noise",
    "class_count",   "features",       "separation",   NULL};
const cop_source cop_source_blobs = {
    .name = "blobs",
    .summary = "One round normal cluster per class, for quick checks.",
    .paper = "",
    .built_in = true,
    .table = true,
    .uses = blobs_use,
    .check = check_blobs,
    .open = open_blobs,
};

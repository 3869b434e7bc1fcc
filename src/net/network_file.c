/* Network files (docs/formats/network.md): base weights, mask, weighting and configuration in one
 * sealed HDF5 file. Plain files, made with h5py from other people's networks, are read as well. */
#include "network_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "coppice-network"
#define FORMAT_VERSION 1
static const char *const weighting_names[] = {"trained", "signed", "positive"}; /* by kind */
#define WEIGHTINGS (sizeof weighting_names / sizeof *weighting_names)

void cop_network_destroy(cop_network *network) {
    if (!network) return;
    cop_model_destroy(network->model);
    cop_params_clear(&network->params);
    cop_mask_clear(&network->mask);
    cop_free(network->config);
    cop_free(network);
}

void cop_network_keep_all(cop_network *network) {
    cop_mask_init(&network->mask, network->model->weights);
    cop_mask_fill(&network->mask);
    network->weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1.0}};
}

static cop_status put_mask(cop_h5 *file, const cop_mask *mask) {
    size_t bytes = cop_mask_bytes(mask->bits);
    unsigned char *packed = cop_alloc(bytes, 1);
    cop_mask_to_bytes(mask, packed);
    cop_status status = cop_h5_write(file, "/mask", COP_H5_U8, 1, &bytes, packed);
    cop_free(packed);
    COP_TRY(status);
    COP_TRY(cop_h5_describe(file, "/mask", "live edges, one bit each, lowest bit first", "1"));
    COP_TRY(cop_h5_attr_i64(file, "/mask", "edges", (int64_t)mask->bits));
    COP_TRY(cop_h5_attr_i64(file, "/mask", "live", (int64_t)cop_mask_count(mask)));
    return cop_h5_label_axis(file, "/mask", 0, "edge_byte");
}

static cop_status put_all(cop_h5 *file, const cop_network *network) {
    const cop_weighting *weighting = &network->weighting;
    char now[32];
    COP_TRY(cop_h5_attr_text(file, "/", "format", FORMAT));
    COP_TRY(cop_h5_attr_i64(file, "/", "format_version", FORMAT_VERSION));
    COP_TRY(cop_h5_attr_text(file, "/", "software", "coppice"));
    COP_TRY(cop_h5_attr_text(file, "/", "date", cop_time_now(now)));
    COP_TRY(cop_network_put(file, "/network", network->model, &network->params));
    COP_TRY(cop_h5_attr_i64(file, "/network", "individual", (int64_t)network->id));
    COP_TRY(cop_h5_attr_text(file, "/network", "weighting", weighting_names[weighting->kind]));
    COP_TRY(put_mask(file, &network->mask));
    COP_TRY(cop_h5_write(file, "/values", COP_H5_F64, 1, &weighting->values, weighting->value));
    COP_TRY(cop_h5_describe(file, "/values", "shared weight values (unused when trained)", "1"));
    COP_TRY(cop_h5_label_axis(file, "/values", 0, "value"));
    return cop_h5_write_text(file, "/config", network->config ? network->config : "");
}

cop_status cop_network_write(const cop_network *network, const char *path) {
    COP_ASSERT(network->mask.bits == network->model->weights);
    COP_ASSERT((size_t)network->weighting.kind < WEIGHTINGS);
    COP_ASSERT(network->weighting.values >= 1 && network->weighting.values <= COP_VALUES_MAX);
    char *temporary = cop_publish_name(path);
    cop_h5 *file = NULL;
    cop_status status = COP_OK;
    COP_GO(cop_h5_create(&file, temporary));
    COP_GO(put_all(file, network));
    status = cop_h5_close(file);
    file = NULL;
    if (status == COP_OK) status = cop_publish(temporary, path);
done:
    cop_h5_discard(file);
    cop_free(temporary);
    return status;
}

/* ------------------------------------------------------------------ reading */

static cop_status take_mask(cop_h5 *file, cop_network *network) {
    cop_mask_init(&network->mask, network->model->weights);
    if (!cop_h5_has(file, "/mask")) { /* a network of somebody else: every edge is there */
        cop_mask_fill(&network->mask);
        return COP_OK;
    }
    size_t bytes = cop_mask_bytes(network->mask.bits);
    unsigned char *packed = cop_alloc(bytes, 1);
    cop_status status = cop_h5_read_into(file, "/mask", COP_H5_U8, 1, &bytes, packed);
    if (status == COP_OK && !cop_mask_from_bytes(&network->mask, packed))
        status = cop_fail(COP_E_FORMAT, "'/mask': bits beyond the last edge are set");
    cop_free(packed);
    return status;
}

static cop_status take_values(cop_h5 *file, cop_weighting *weighting) {
    double *values = NULL;
    size_t count = 0;
    cop_status status =
        cop_h5_read(file, "/values", COP_H5_F64, 1, &count, COP_VALUES_MAX, (void **)&values);
    if (status == COP_OK && count == 0)
        status = cop_fail(COP_E_FORMAT, "'/values': is empty; wanted 1 to %d", COP_VALUES_MAX);
    for (size_t k = 0; k < count && status == COP_OK; k++) {
        if (!isfinite(values[k]) || (k && values[k] <= values[k - 1]))
            status =
                cop_fail(COP_E_FORMAT, "'/values': must be finite and ascending; number %zu is %g",
                         k, values[k]);
        weighting->value[k] = values[k];
    }
    if (status == COP_OK) weighting->values = count;
    cop_free(values);
    return status;
}

static cop_status take_weighting(cop_h5 *file, cop_weighting *weighting) {
    char *name = NULL;
    *weighting = (cop_weighting){COP_WEIGHTS_TRAINED, 1, {1.0}};
    if (!cop_h5_has(file, "/values")) return COP_OK;
    COP_TRY(cop_h5_get_text(file, "/network", "weighting", &name));
    size_t kind = 0;
    while (kind < WEIGHTINGS && strcmp(name, weighting_names[kind]) != 0) kind++;
    cop_status status =
        kind == WEIGHTINGS
            ? cop_fail(COP_E_FORMAT, "weighting \"%.40s\": wanted trained, signed or positive",
                       name)
            : take_values(file, weighting);
    if (kind < WEIGHTINGS) weighting->kind = (cop_weighting_kind)kind;
    if (status == COP_OK && weighting->kind == COP_WEIGHTS_TRAINED && weighting->values != 1)
        status = cop_fail(COP_E_FORMAT, "'/values': %zu values for trained weights; wanted 1",
                          weighting->values);
    cop_free(name);
    return status;
}

static cop_status check_format(cop_h5 *file) {
    char *format = NULL;
    int64_t version = 0;
    cop_status status = COP_OK;
    COP_GO(cop_h5_get_text(file, "/", "format", &format));
    COP_GO(cop_h5_get_i64(file, "/", "format_version", &version));
    if (strcmp(format, FORMAT) != 0)
        status = cop_fail(COP_E_FORMAT, "holds a \"%.40s\"; wanted a " FORMAT, format);
    else if (version < 1 || version > FORMAT_VERSION)
        status = cop_fail(COP_E_FORMAT,
                          "version %lld of the format; this coppice reads 1 to %d: use a newer one",
                          (long long)version, FORMAT_VERSION);
done:
    cop_free(format);
    return status;
}

static cop_status take_all(cop_h5 *file, cop_network *network) {
    COP_TRY(check_format(file));
    COP_TRY(cop_network_take(file, "/network", &network->model, &network->params));
    COP_TRY(take_mask(file, network));
    COP_TRY(take_weighting(file, &network->weighting));
    if (cop_h5_has(file, "/config"))
        COP_TRY(cop_h5_read_text(file, "/config", &network->config));
    else
        network->config = cop_strdup("");
    int64_t id = 0;
    if (cop_h5_sealed(file)) COP_TRY(cop_h5_get_i64(file, "/network", "individual", &id));
    network->id = (uint64_t)id;
    return COP_OK;
}

cop_status cop_network_read(cop_network **out, const char *path) {
    cop_h5 *file = NULL;
    *out = NULL;
    COP_TRY(cop_h5_open(&file, path));
    cop_network *network = COP_NEW(cop_network);
    cop_status status = take_all(file, network);
    if (status == COP_OK) {
        *out = network;
    } else {
        if (strncmp(cop_error_message(), path, strlen(path)) != 0)
            cop_fail_prefix(status, "%s", path);
        cop_network_destroy(network);
    }
    cop_h5_discard(file);
    return status;
}

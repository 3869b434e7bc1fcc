/* What memory a run took beside what was expected: in run.json, and as a line of the summary. */
#include "search.h"

static json_t *bytes_or_null(double bytes) {
    return bytes > 0 ? json_integer((json_int_t)bytes) : json_null();
}

void cop_peaks_record(const cop_search *search) {
    const cop_memory *m = &search->experiment->memory;
    json_t *peaks = json_array();
    for (int rank = 0; rank < search->par->size; rank++)
        json_array_append_new(peaks, bytes_or_null((double)cop_farm_peak(search->farm, rank)));
    json_t *record = json_pack("{s:o,s:o,s:o,s:o,s:o}", "budget", bytes_or_null((double)m->budget),
                               "estimate_master", bytes_or_null(m->master), "estimate_worker",
                               bytes_or_null(search->par->size > 1 ? m->worker : 0), "samples",
                               bytes_or_null(m->samples), "peak", peaks);
    json_object_set_new(search->directory->run, "memory", record);
}

void cop_peaks_print(const cop_search *search, FILE *out) {
    const cop_memory *m = &search->experiment->memory;
    char peak[32], expected[32], samples[32];
    uint64_t most = 0;
    int who = 0;
    for (int rank = 1; rank < search->par->size; rank++) {
        uint64_t bytes = cop_farm_peak(search->farm, rank);
        if (bytes > most) {
            most = bytes;
            who = rank;
        }
    }
    fprintf(out, "memory: %s %s at most (estimate %s)", search->par->size > 1 ? "rank 0" : "peak",
            cop_format_bytes((double)cop_farm_peak(search->farm, 0), peak),
            cop_format_bytes(m->master, expected));
    if (who)
        fprintf(out, ", a worker %s (rank %d; estimate %s)", cop_format_bytes((double)most, peak),
                who, cop_format_bytes(m->worker, expected));
    if (search->par->size > 1)
        fprintf(out, "; in each the node's samples, %s", cop_format_bytes(m->samples, samples));
    fprintf(out, "\n");
}

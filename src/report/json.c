#include <math.h>
#include <stdlib.h>

#include "coppice/report.h"

json_t *cop_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cop_json_id(uint64_t value) {
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

void cop_json_print(json_t *value, FILE *out) {
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    COP_ASSERT(text);
    fprintf(out, "%s\n", text);
    free(text);
    json_decref(value);
}

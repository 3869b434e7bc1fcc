#include "coppice/base.h"

#include <string.h>
#include <time.h>

static cop_log_level threshold = COP_LOG_INFO;
static FILE *log_file;
static char log_prefix[64];
static bool log_screen = true;

void cop_log_set_level(cop_log_level level) {
    threshold = level;
}
void cop_log_set_file(FILE *file) {
    log_file = file;
}
void cop_log_set_screen(bool on) {
    log_screen = on;
}
void cop_log_set_prefix(const char *prefix) {
    snprintf(log_prefix, sizeof log_prefix, "%s", prefix);
}

void cop_log(cop_log_level level, const char *format, ...) {
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    char text[2048], now[32];
    va_list args;
    if (level > threshold) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (log_screen)
        fprintf(stderr, "coppice: %s%s%s%s\n", log_prefix, log_prefix[0] ? ": " : "", words[level],
                text);
    if (log_file) {
        fprintf(log_file, "%s %s%s%s%s\n", cop_time_now(now), log_prefix, log_prefix[0] ? ": " : "",
                words[level], text);
        fflush(log_file);
    }
}

double cop_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *cop_time_now(char out[32]) {
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return out;
}

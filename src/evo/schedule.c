/* Amounts that move with the generation. */
#include "evo/ops/schedule.h"

#include <math.h>
#include <string.h>

static bool is(const cop_conf *conf, const char *section, const char *word) {
    return strcmp(cop_conf_text(conf, section, "schedule"), word) == 0;
}

double cop_schedule_at(const cop_plan *plan, const char *section, uint32_t generation) {
    const cop_conf *conf = cop_plan_conf(plan);
    double begin = cop_conf_real(conf, section, "amount");
    if (is(conf, section, "constant")) return begin;
    double end = cop_conf_real(conf, section, "amount_end");
    double done = (double)generation / (double)cop_conf_int(conf, section, "over");
    if (done >= 1) return end;
    return is(conf, section, "linear") ? begin + (end - begin) * done
                                       : begin * pow(end / begin, done);
}

cop_status cop_schedule_check(const cop_plan *plan, const char *section) {
    const cop_conf *conf = cop_plan_conf(plan);
    if (!is(conf, section, "exponential")) return COP_OK;
    static const char *const keys[] = {"amount", "amount_end"};
    for (size_t i = 0; i < 2; i++)
        if (!(cop_conf_real(conf, section, keys[i]) > 0))
            return cop_conf_fail(
                conf, section, keys[i],
                "an exponential schedule cannot begin or end at 0: give a positive "
                "%s, or schedule = linear",
                keys[i]);
    return COP_OK;
}

double cop_schedule_most(const cop_plan *plan, const char *section) {
    const cop_conf *conf = cop_plan_conf(plan);
    double begin = cop_conf_real(conf, section, "amount");
    if (is(conf, section, "constant")) return begin;
    double end = cop_conf_real(conf, section, "amount_end");
    return end > begin ? end : begin;
}

/* Ranks that train one network together, as the training sees them. */
#include "par/reduce.h"
#include "training.h"

struct cop_team {
    const cop_par *par;
    cop_par_parts *parts; /* NULL: batches are done in one part, by all alike */
};

static void room(void *user, float **slopes, double **found) {
    const cop_team *team = user;
    cop_par_parts_room(team->parts, slopes, found);
}

static void share(void *user) {
    const cop_team *team = user;
    cop_par_parts_share(team->parts);
}

static float *whole(void *user) {
    const cop_team *team = user;
    return cop_par_parts_whole(team->parts);
}

static void gather(void *user) {
    const cop_team *team = user;
    cop_par_parts_gather(team->parts);
}

static void sum(void *user, double *values, size_t count) {
    const cop_team *team = user;
    cop_par_sum(team->par, values, count);
}

cop_team *cop_team_make(cop_training *t, const cop_par *par) {
    cop_team *team = COP_NEW(cop_team);
    team->par = par;
    t->team = (cop_training_team){.user = team, .rank = par->rank, .size = par->size, .sum = sum};
    if (t->parts == 1) return team;
    team->parts = cop_par_parts_create(par, t->parts, t->net->slope_count, 2);
    t->team.room = room;
    t->team.share = share;
    t->team.whole = whole;
    t->team.gather = gather;
    t->team.first_part = cop_par_first_part(t->parts, par->rank, par->size);
    t->team.end_part = cop_par_first_part(t->parts, par->rank + 1, par->size);
    cop_par_parts_slice(team->parts, par->rank, &t->team.first, &t->team.end);
    return team;
}

void cop_team_end(cop_team *team) {
    if (!team) return;
    cop_par_parts_destroy(team->parts);
    cop_free(team);
}

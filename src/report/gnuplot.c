/* gnuplot as a program beside this one, if it is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coppice/report.h"

enum { NOT_THERE = 127 };

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static cop_status list_scripts(const char *folder, cop_list *names) {
    DIR *listing = opendir(folder);
    const struct dirent *item;
    if (!listing) return cop_fail(COP_E_IO, "%s: %s", folder, strerror(errno));
    while ((item = readdir(listing))) {
        size_t length = strlen(item->d_name);
        if (length > 3 && strcmp(item->d_name + length - 3, ".gp") == 0)
            cop_list_add(names, item->d_name);
    }
    closedir(listing);
    if (names->count) qsort(names->items, names->count, sizeof *names->items, by_name);
    return COP_OK;
}

/* Exit status of gnuplot on one script; what it says goes to gnuplot.log. */
static int draw(const char *folder, const char *script) {
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder) != 0) _exit(1);
        int log = open("gnuplot.log", O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (log >= 0) {
            dup2(log, 1);
            dup2(log, 2);
        }
        execlp("gnuplot", "gnuplot", script, (char *)NULL);
        _exit(NOT_THERE);
    }
    int status = 0;
    if (child < 0) return 1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

cop_status cop_figures_draw(const char *folder, size_t *drawn) {
    cop_list scripts = {0};
    char *log = cop_sprintf("%s/gnuplot.log", folder);
    cop_status status = list_scripts(folder, &scripts);
    char *refused = NULL;
    *drawn = 0;
    unlink(log);
    for (size_t i = 0; i < scripts.count && status == COP_OK; i++) {
        int code = draw(folder, scripts.items[i]);
        if (code == NOT_THERE)
            status = cop_fail(COP_E_IO,
                              "no figures: gnuplot is not installed (Debian: apt-get install "
                              "gnuplot-nox); scripts and data are in %s",
                              folder);
        else if (code == 0)
            ++*drawn;
        else if (!refused)
            refused = cop_strdup(scripts.items[i]);
    }
    if (status == COP_OK && refused) /* the others are drawn all the same */
        status = cop_fail(COP_E_IO, "gnuplot cannot draw %s/%s%s: see %s", folder, refused,
                          *drawn + 1 < scripts.count ? " and others" : "", log);
    cop_free(refused);
    cop_free(log);
    cop_list_clear(&scripts);
    return status;
}

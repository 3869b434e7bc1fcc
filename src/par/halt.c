/* Signals only set a flag; the master decides at a boundary what to do about it. */
#include "coppice/par.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

/* atomic: a signal may come to a thread of the MPI library */
static atomic_uint requests;
static double deadline; /* 0: none */

static void on_signal(int number) {
    atomic_fetch_or(&requests, number == SIGUSR2 ? COP_HALT_CHECKPOINT : COP_HALT_STOP);
}

void cop_halt_deadline(double clock) {
    deadline = clock;
}

void cop_halt_install(void) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    /* a closed stdout is an ordinary write error, not a death */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* likewise a file that has reached the size limit */
}

unsigned cop_halt_requests(void) {
    if (deadline > 0 && cop_clock() >= deadline) cop_halt_request(COP_HALT_STOP);
    return atomic_load(&requests);
}
void cop_halt_request(unsigned flags) {
    atomic_fetch_or(&requests, flags);
}
void cop_halt_forget(unsigned flags) {
    atomic_fetch_and(&requests, ~flags);
}

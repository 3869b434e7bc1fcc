/* Signals only set a flag; the master decides at a boundary what to do about it. */
#include "coppice/par.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t requests;

static void on_signal(int number) {
    requests |= number == SIGUSR2 ? (sig_atomic_t)COP_HALT_CHECKPOINT : (sig_atomic_t)COP_HALT_STOP;
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
}

unsigned cop_halt_requests(void) {
    return (unsigned)requests;
}
void cop_halt_request(unsigned flags) {
    requests |= (sig_atomic_t)flags;
}
void cop_halt_forget(unsigned flags) {
    requests &= (sig_atomic_t)~flags;
}

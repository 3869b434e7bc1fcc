/** @file wire.h
 *  Messages of the farm. Every message is one MPI message of bytes: a header that repeats kind and
 * length, then the payload. What arrives is bounded and compared before it is used.
 */
#ifndef COPPICE_PAR_WIRE_H
#define COPPICE_PAR_WIRE_H

#include "internal.h"

typedef enum cop_message {
    COP_MSG_BREED = 1, /**< master to worker: recipes */
    COP_MSG_KEEP,      /**< master to worker: ids */
    COP_MSG_UNIT,      /**< master to worker: a struct unit_order */
    COP_MSG_WRITE,     /**< master to worker: a request for cop_farm_work.write */
    COP_MSG_ABANDON,   /**< master to worker: leave out the units that wait; seen before its turn */
    COP_MSG_STOP,      /**< master to worker: a struct stop_order; in a pool int32 status */
    COP_MSG_DISMISS, /**< master to worker: you were given up; end at once; seen before its turn */
    COP_MSG_PING,    /**< master to worker: I live; double, for so long you need not hear more */
    COP_MSG_RESULT,  /**< worker to master: a struct result_head, evidence */
    COP_MSG_WRITTEN, /**< worker to master: answer of cop_farm_work.write */
    COP_MSG_FAILED,  /**< worker to master: int32 status, text */
    COP_MSG_BYE,     /**< worker to master: stop acknowledged */
    COP_MSG_JOB,     /**< master of a pool to the first rank of a group: a job */
    COP_MSG_DONE,    /**< back: what came of it */
    COP_MSG_KINDS
} cop_message;

/** Messages on their way out; owned by the sender until MPI is done with them. */
typedef struct cop_outbox {
    struct cop_letter {
        int to;
        MPI_Request request;
        unsigned char *bytes;
    } * letters;
    size_t count;
} cop_outbox;

/** Start sending; never blocks. */
void cop_wire_send(const cop_par *par, cop_outbox *outbox, int to, cop_message kind,
                   const void *payload, size_t length);
/** Forget what has left. With @p all, wait for everything (asleep). */
void cop_outbox_flush(cop_outbox *outbox, bool all);
/** Do not wait for what is on its way to @p rank, which is lost. MPI may still read it: it is kept.
 */
void cop_outbox_forget(cop_outbox *outbox, int rank);

/** Does a message of @p kind wait, whatever came before it? */
bool cop_wire_waits(const cop_par *par, int from, cop_message kind);
/** One message if there is any: false when none waits, or when its sender died in the midst of it.
 * @p payload is overwritten. A message that is
 *  longer than COP_MESSAGE_MAX or contradicts its header is COP_E_PEER in *status, empty and of no
 * kind (0): what it says it is may be what was damaged. */
bool cop_wire_receive(const cop_par *par, int *from, cop_message *kind, cop_buf *payload,
                      cop_status *status);

#endif

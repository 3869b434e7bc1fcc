#include "wire.h"

#include <string.h>

#define MAGIC 0x434f5031u /* "COP1": the two sides run the same version of the protocol */

#define FETCH_S 60.0 /* a rank elsewhere that does not deliver what it has announced is lost */

struct header {
    uint32_t magic, kind;
    uint64_t length;
};

void cop_wire_send(const cop_par *par, cop_outbox *outbox, int to, cop_message kind,
                   const void *payload, size_t length) {
    const cop_par_impl *impl = par->impl;
    struct header header = {MAGIC, (uint32_t)kind, length};
    COP_ASSERT(length <= COP_MESSAGE_MAX - sizeof header);
    outbox->letters =
        cop_realloc(outbox->letters, outbox->count, outbox->count + 1, sizeof *outbox->letters);
    struct cop_letter *letter = &outbox->letters[outbox->count++];
    letter->to = to;
    letter->bytes = cop_alloc(sizeof header + length, 1);
    memcpy(letter->bytes, &header, sizeof header);
    if (length) memcpy(letter->bytes + sizeof header, payload, length);
    /* fails when the receiver has died: then there is nothing to wait for, and its silence will
     * tell */
    if (MPI_Isend(letter->bytes, (int)(sizeof header + length), MPI_BYTE, to, (int)kind, impl->comm,
                  &letter->request) != MPI_SUCCESS)
        letter->request = MPI_REQUEST_NULL;
}

/* Memory that MPI may use as long as the process lives: its other side is gone. */
static void leave_to_mpi(void *bytes) {
    static void **left;
    static size_t count;
    left = cop_realloc(left, count, count + 1, sizeof *left);
    left[count++] = bytes;
}

void cop_outbox_forget(cop_outbox *outbox, int rank) {
    size_t kept = 0;
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->letters[i].to == rank)
            leave_to_mpi(outbox->letters[i].bytes);
        else
            outbox->letters[kept++] = outbox->letters[i];
    outbox->count = kept;
}

void cop_outbox_flush(cop_outbox *outbox, bool all) {
    size_t kept = 0;
    for (size_t i = 0; i < outbox->count; i++) {
        struct cop_letter *letter = &outbox->letters[i];
        int done = 1;
        if (all)
            cop_wait(&letter->request);
        else
            done = MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done;
        if (done)
            cop_free(letter->bytes);
        else
            outbox->letters[kept++] = *letter;
    }
    outbox->count = kept;
    if (!kept) {
        cop_free(outbox->letters);
        outbox->letters = NULL;
    }
}

bool cop_wire_waits(const cop_par *par, int from, cop_message kind) {
    int waits = 0;
    /* one probe moves one message on at most: what stands behind another one needs a few */
    for (int i = 0; i < 8 && !waits; i++)
        MPI_Iprobe(from, (int)kind, ((const cop_par_impl *)par->impl)->comm, &waits,
                   MPI_STATUS_IGNORE);
    return waits;
}

/* A message that was announced; false when it never comes, as its sender has died. */
static bool fetch(const cop_par *par, const MPI_Status *envelope, void *bytes, int count) {
    const cop_par_impl *impl = par->impl;
    MPI_Request request;
    double start = cop_clock();
    int done = 0;
    if (MPI_Irecv(bytes, count, MPI_BYTE, envelope->MPI_SOURCE, envelope->MPI_TAG, impl->comm,
                  &request) != MPI_SUCCESS)
        return false;
    for (unsigned naps = 0;; naps++) {
        if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
        if (done) return true;
        if (naps < 100) continue;
        cop_nap(100);
        if (par->survives && cop_clock() - start > 1 &&
            (cop_peer_gone(par, envelope->MPI_SOURCE) || cop_clock() - start > FETCH_S))
            return false;
    }
}

bool cop_wire_receive(const cop_par *par, int *from, cop_message *kind, cop_buf *payload,
                      cop_status *status) {
    const cop_par_impl *impl = par->impl;
    int waits = 0, count = 0;
    MPI_Status envelope;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, impl->comm, &waits, &envelope);
    if (!waits) return false;
    MPI_Get_count(&envelope, MPI_BYTE, &count);
    *from = envelope.MPI_SOURCE;
    *kind = (cop_message)0;
    struct header header = {0};
    cop_buf_reset(payload);
    if (count < (int)sizeof header || (size_t)count > COP_MESSAGE_MAX) {
        *status = cop_fail(COP_E_PEER,
                           "rank %d on %s sent a message of %d bytes; at most %zu are "
                           "accepted",
                           *from, impl->host[*from], count, COP_MESSAGE_MAX);
        return true;
    }
    unsigned char *bytes = cop_alloc((size_t)count, 1);
    if (!fetch(par, &envelope, bytes, count)) {
        leave_to_mpi(bytes);
        return false;
    }
    memcpy(&header, bytes, sizeof header);
    *status = COP_OK;
    if (header.magic != MAGIC || (int)header.kind != envelope.MPI_TAG || header.kind == 0 ||
        header.kind >= COP_MSG_KINDS || header.length != (uint64_t)count - sizeof header) {
        *status = cop_fail(COP_E_PEER,
                           "rank %d on %s sent a message that contradicts its header: do "
                           "all ranks run the same build of coppice?",
                           *from, impl->host[*from]);
    } else {
        cop_buf_add(payload, bytes + sizeof header, header.length);
        *kind = (cop_message)header.kind;
    }
    cop_free(bytes);
    return true;
}

#include "wire.h"

#include <string.h>

#define MAGIC 0x434f5031u /* "COP1": the two sides run the same version of the protocol */

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
    letter->bytes = cop_alloc(sizeof header + length, 1);
    memcpy(letter->bytes, &header, sizeof header);
    if (length) memcpy(letter->bytes + sizeof header, payload, length);
    MPI_Isend(letter->bytes, (int)(sizeof header + length), MPI_BYTE, to, (int)kind, impl->comm,
              &letter->request);
}

void cop_outbox_flush(cop_outbox *outbox, bool all) {
    size_t kept = 0;
    for (size_t i = 0; i < outbox->count; i++) {
        struct cop_letter *letter = &outbox->letters[i];
        int done = 1;
        if (all)
            cop_wait(&letter->request);
        else
            MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE);
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
    if (count < (int)sizeof header || (size_t)count > COP_MESSAGE_MAX) {
        *status = cop_fail(COP_E_PEER,
                           "rank %d on %s sent a message of %d bytes; at most %zu are "
                           "accepted",
                           *from, impl->host[*from], count, COP_MESSAGE_MAX);
        return true;
    }
    cop_buf_reset(payload);
    unsigned char *bytes = cop_alloc((size_t)count, 1);
    MPI_Recv(bytes, count, MPI_BYTE, envelope.MPI_SOURCE, envelope.MPI_TAG, impl->comm,
             MPI_STATUS_IGNORE);
    memcpy(&header, bytes, sizeof header);
    *status = COP_OK;
    if (header.magic != MAGIC || (int)header.kind != envelope.MPI_TAG || header.kind == 0 ||
        header.kind >= COP_MSG_KINDS || header.length != (uint64_t)count - sizeof header)
        *status = cop_fail(COP_E_PEER,
                           "rank %d on %s sent a message that contradicts its header: do "
                           "all ranks run the same build of coppice?",
                           *from, impl->host[*from]);
    else
        cop_buf_add(payload, bytes + sizeof header, header.length);
    *kind = (cop_message)header.kind;
    cop_free(bytes);
    return true;
}

/** @file analysed.h
 *  What an analyser that sees one file at a time must know of the others, included before
 * everything by `make analyse`: whoever records a failure returns one, and never COP_OK.
 */
#ifndef COPPICE_TEST_ANALYSED_H
#define COPPICE_TEST_ANALYSED_H

#include "coppice/conf.h"

#define ANALYSED_FAILURE(call, status)                                                             \
    __extension__({                                                                                \
        const cop_status analysed_ = (status);                                                     \
        (void)(call);                                                                              \
        if (analysed_ == COP_OK) __builtin_unreachable();                                          \
        analysed_;                                                                                 \
    })
#define cop_fail(status, ...) ANALYSED_FAILURE((cop_fail)(status, __VA_ARGS__), status)
#define cop_fail_prefix(status, ...)                                                               \
    ANALYSED_FAILURE((cop_fail_prefix)(status, __VA_ARGS__), status)
#define cop_conf_fail(...) ANALYSED_FAILURE((cop_conf_fail)(__VA_ARGS__), COP_E_CONFIG)

#endif

/** @file write_all.h
 *  Shared by the writers of src/io.
 */
#ifndef COPPICE_IO_WRITE_ALL_H
#define COPPICE_IO_WRITE_ALL_H

#include <stddef.h>

/** write() until everything is written: 0, or the errno of what went wrong. */
int cop_write_all(int fd, const void *bytes, size_t count);

#endif

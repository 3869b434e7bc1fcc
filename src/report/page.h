/** @file page.h
 *  The parts of the page about a run that come from its newest checkpoint (docs/report.md).
 */
#ifndef COPPICE_REPORT_PAGE_H
#define COPPICE_REPORT_PAGE_H

#include "coppice/report.h"
#include "html.h"

/** Column of a measure in the history, -1: none. */
long cop_page_measure(const cop_checkpoint *checkpoint, const char *name);
/** That measure of individual @p id; NaN: none. */
double cop_page_value(const cop_checkpoint *checkpoint, uint64_t id, long column);

/** Fitness, accuracies and edges by generation. */
void cop_page_curves(const cop_checkpoint *checkpoint, cop_buf *out);
/** Density of every layer: of @p network, of the living, and by generation. */
void cop_page_layers(const cop_checkpoint *checkpoint, const cop_network *network, cop_buf *out);
/** The ancestors of individual @p id. */
void cop_page_lineage(const cop_checkpoint *checkpoint, uint64_t id, cop_buf *out);
/** Which edges are left: by how many of the living have them, and by the size of their weight. */
void cop_page_survival(const cop_checkpoint *checkpoint, const cop_network *network, cop_buf *out);

/** Accuracies and losses by epoch, density by layer, degrees of the inputs; with @p height and @p
 * width (of one channel; 0: no images) a map of them. */
void cop_page_training(const struct cop_trained *trained, size_t height, size_t width,
                       cop_buf *out);

#endif

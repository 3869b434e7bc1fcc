/** @file figures.h
 *  What scripts for gnuplot are made of.
 */
#ifndef COPPICE_REPORT_FIGURES_H
#define COPPICE_REPORT_FIGURES_H

#include "coppice/report.h"

/** Text inside a script: '...' where a quote is doubled; names hold no line ends. */
void cop_figure_quote(cop_buf *out, const char *text);
/** Write NAME.gp in @p folder, with @p body once for each kind of file. COP_E_IO. */
cop_status cop_figure_script(const char *folder, const char *name, int width, int height,
                             const cop_buf *body);

#endif

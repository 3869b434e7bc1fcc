/** @file gene.h
 *  What the crossovers exchange: edges, or whole layers with weights. One option, shared by them.
 */
#ifndef COPPICE_EVO_GENE_H
#define COPPICE_EVO_GENE_H

#include <string.h>

#include "coppice/op.h"

#define COP_GENE_ROW                                                                               \
    {                                                                                              \
        "over", COP_OPT_CHOICE, "edges", 0, 0, "", "edges|layers", COP_SCIENCE,                    \
            "What comes whole from one parent: an edge, or a layer with weights."                  \
    }

static inline bool cop_gene_is_layer(const cop_plan *plan) {
    return strcmp(cop_conf_text(cop_plan_conf(plan), "cross", "over"), "layers") == 0;
}

#endif

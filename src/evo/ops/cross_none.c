#include "coppice/op.h"

const cop_op cop_cross_none = {
    .role = COP_ROLE_CROSS,
    .name = "none",
    .paper = "Dobreva 2022 (PADAWANN, as its released code runs)",
    .summary = "A child is a copy of its one parent before it is varied.",
    .section = "cross",
};

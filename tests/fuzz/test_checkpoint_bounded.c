/* Hostile checkpoints with a bounded history. */
#define BOUNDED 1 /* generation */
#define TARGET "checkpoint_bounded"
#include "test_checkpoint.c"

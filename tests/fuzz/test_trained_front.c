/* Hostile checkpoints of training with layers in front. */
#define FRONT "front = conv2d(6,1) relu maxpool(1) dropout(0.1) dense(5)\n"
#define NAME "trained_front"
#include "test_trained.c" /* NOLINT(bugprone-suspicious-include): the same target on another file */

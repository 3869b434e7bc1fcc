/* Options of [base]. The defaults are the training of the PADAWANN thesis' networks. */
#include "coppice/train.h"
#include "list.h"

#define COP_WORD(object, name, summary, paper) "|" name
#define COP_WORDS COP_OPTIMISER_LIST(COP_WORD)

const cop_option cop_base_options[] = {
    {"task", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_SCIENCE,
     "task NAME of [task.NAME] that the base network is trained on; empty: the first in the file."},
    {"file", COP_OPT_TEXT, "", 0, 0, "", NULL, COP_SCIENCE,
     "network file to take the base network from, relative to where coppice is started: HDF5, or "
     ".safetensors with the layers' weights as PyTorch exports them; when it is not there the base "
     "network is trained and stored in it (HDF5); empty: train, or use the cache."},
    {"biases", COP_OPT_CHOICE, "keep", 0, 0, "", "keep|zero", COP_SCIENCE,
     "keep the trained biases, or set all of them to 0 once the base network is there."},
    {"seed", COP_OPT_INT, "1", 0, 9007199254740992.0, "", NULL, COP_SCIENCE,
     "seed of first weights, order of samples, dropout and validation split."},
    {"epochs", COP_OPT_INT, "3", 0, 1000000, "epochs", NULL, COP_SCIENCE,
     "passes over the training set; 0 leaves the weights random."},
    {"batch", COP_OPT_INT, "100", 1, 1000000, "samples", NULL, COP_SCIENCE,
     "samples of one step; the last batch of an epoch may be smaller."},
    {"optimiser", COP_OPT_CHOICE, "adadelta", 0, 0, "", &(COP_WORDS)[1], COP_SCIENCE,
     "rule that turns gradients into steps."},
    {"rate", COP_OPT_REAL, "0", 0, 1e6, "", NULL, COP_SCIENCE,
     "learning rate of the first epoch; 0: sgd 0.01, adam 0.001, adadelta 1."},
    {"momentum", COP_OPT_REAL, "0.9", 0, 0.999999, "", NULL, COP_SCIENCE,
     "sgd: share of the last step kept in the next."},
    {"weight_decay", COP_OPT_REAL, "0", 0, 1e3, "", NULL, COP_SCIENCE,
     "this times each parameter is added to its gradient."},
    {"rho", COP_OPT_REAL, "0.9", 0, 0.999999, "", NULL, COP_SCIENCE,
     "adadelta: share of the old averages kept in a step."},
    {"beta1", COP_OPT_REAL, "0.9", 0, 0.999999, "", NULL, COP_SCIENCE,
     "adam: share of the old mean gradient kept in a step."},
    {"beta2", COP_OPT_REAL, "0.999", 0, 0.9999999, "", NULL, COP_SCIENCE,
     "adam: share of the old mean squared gradient kept in a step."},
    {"epsilon", COP_OPT_REAL, "0", 0, 1, "", NULL, COP_SCIENCE,
     "adam and adadelta: keeps divisors away from 0; 0: adam 1e-8, adadelta 1e-6."},
    {"schedule", COP_OPT_CHOICE, "exponential", 0, 0, "", "constant|exponential|step|cosine",
     COP_SCIENCE,
     "how the learning rate falls: not, x decay an epoch, x decay each `step` epochs, to 0."},
    {"decay", COP_OPT_REAL, "0.7", 1e-6, 1, "", NULL, COP_SCIENCE,
     "factor on the learning rate of schedules exponential and step."},
    {"step", COP_OPT_INT, "10", 1, 1000000, "epochs", NULL, COP_SCIENCE,
     "epochs between two falls of schedule step."},
    {"validation", COP_OPT_REAL, "0", 0, 0.9, "", NULL, COP_SCIENCE,
     "share of the training set held back; the epoch with the lowest loss on it is kept."},
    {"patience", COP_OPT_INT, "0", 0, 1000000, "epochs", NULL, COP_SCIENCE,
     "stop after so many epochs without a lower validation loss; 0: train all epochs."},
    {.key = NULL}};

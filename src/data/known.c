/* Real datasets as ready sections. The files are looked for in the data folder, laid out as here.
 * Those of PADAWANN are also files of configs/base/ for including (a test keeps the two alike). */
#include "coppice/data.h"

static const cop_known_set sets[] = {
    {"mnist", "Handwritten digits, 28 x 28 grey; LeCun et al. 1998. Evolution sees 700 a class.",
     "[task.mnist]\n"
     "source = idx\n"
     "images = mnist/train-images-idx3-ubyte.gz\n"
     "labels = mnist/train-labels-idx1-ubyte.gz\n"
     "test_images = mnist/t10k-images-idx3-ubyte.gz\n"
     "test_labels = mnist/t10k-labels-idx1-ubyte.gz\n"
     "evolve_per_class = 700\n"},
    {"fashion", "Clothing, 28 x 28 grey; Xiao et al. 2017. Evolution sees 700 a class.",
     "[task.fashion]\n"
     "source = idx\n"
     "images = fashion-mnist/train-images-idx3-ubyte.gz\n"
     "labels = fashion-mnist/train-labels-idx1-ubyte.gz\n"
     "test_images = fashion-mnist/t10k-images-idx3-ubyte.gz\n"
     "test_labels = fashion-mnist/t10k-labels-idx1-ubyte.gz\n"
     "evolve_per_class = 700\n"},
    {"letters",
     "EMNIST letters a to j, as stored (transposed); Cohen et al. 2017. All splits are cut from a "
     "part of the test file: numbers are not comparable with published ones.",
     "[task.letters]\n"
     "source = idx\n"
     "images = emnist-letters/emnist-letters-test-first14800-images-idx3-ubyte.gz\n"
     "labels = emnist-letters/emnist-letters-test-first14800-labels-idx1-ubyte.gz\n"
     "test_images = emnist-letters/emnist-letters-test-first14800-images-idx3-ubyte.gz\n"
     "test_labels = emnist-letters/emnist-letters-test-first14800-labels-idx1-ubyte.gz\n"
     "classes = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10\n"
     "train_per_class = 700\n"
     "evolve_per_class = 700\n"
     "test_skip_per_class = 700\n"
     "test_per_class = 100\n"},
    {"optdigits", "Handwritten digits, 8 x 8; Alpaydin and Kaynak 1998.",
     "[task.optdigits]\n"
     "source = csv\n"
     "file = small/optdigits.tra.gz\n"
     "test_file = small/optdigits.tes.gz\n"
     "shape = 1, 8, 8\n"
     "normalise = fixed\n"
     "divide = 16\n"
     "mean = 0\n"
     "sd = 1\n"},
    {"madelon", "Clusters on a hypercube among 480 probes; Guyon 2003. Its validation set tests.",
     "[task.madelon]\n"
     "source = csv\n"
     "file = madelon/madelon_train.data.gz\n"
     "labels = madelon/madelon_train.labels\n"
     "test_file = madelon/madelon_valid.data.gz\n"
     "test_labels = madelon/madelon_valid.labels\n"
     "separator = space\n"},
    {"isolet", "Spoken letters, 617 features; Fanty and Cole 1991.",
     "[task.isolet]\n"
     "source = csv\n"
     "file = isolet/isolet1+2+3+4.csv.gz\n"
     "test_file = isolet/isolet5.csv.gz\n"},
    {"letter-recognition", "Letter shapes, 16 features; Frey and Slate 1991. The last 4,000 test.",
     "[task.letter-recognition]\n"
     "source = csv\n"
     "file = small/letter-recognition.data.gz\n"
     "test_file = small/letter-recognition.data.gz\n"
     "label = first\n"
     "train_limit = 16000\n"
     "evolve_limit = 16000\n"
     "test_skip = 16000\n"},
    {"cnae-9", "Company descriptions, 856 word counts; the last 180 test.",
     "[task.cnae-9]\n"
     "source = csv\n"
     "file = cnae-9/CNAE-9.data.gz\n"
     "test_file = cnae-9/CNAE-9.data.gz\n"
     "label = first\n"
     "train_limit = 900\n"
     "evolve_limit = 900\n"
     "test_skip = 900\n"},
    {"epilepsy", "EEG, 178 values: seizure against the rest; Andrzejak et al. 2001.",
     "[task.epilepsy]\n"
     "source = csv\n"
     "file = epilepsy/epileptic_seizure_recognition.csv.gz\n"
     "label = y\n"
     "drop = id\n"
     "classes = 1, 2, 3, 4, 5\n"
     "map = 1, 0, 0, 0, 0\n"
     "holdout = 0.2\n"},
    {"epilepsy-recordings",
     "The same, split by recording: chunks of one recording are all for training or all for tests.",
     "[task.epilepsy-recordings]\n"
     "source = csv\n"
     "file = epilepsy/epileptic_seizure_recognition.csv.gz\n"
     "label = y\n"
     "classes = 1, 2, 3, 4, 5\n"
     "map = 1, 0, 0, 0, 0\n"
     "holdout = 0.2\n"
     "group = id\n"
     "group_end = .\n"},
    {"cifar-10",
     "Colour images, 32 x 32, of ten kinds; Krizhevsky 2009. A part: the first of five batches, "
     "and 2,000 of 10,000 test images, so numbers are not comparable with published ones.",
     "[task.cifar-10]\n"
     "source = cifar\n"
     "batches = cifar-10/data_batch_1.bin.gz\n"
     "test_batches = cifar-10/test_subset_2000.bin.gz\n"},
    {"a9a", "Adult: income from 123 binary features, as LIBSVM has it; Platt 1998.",
     "[task.a9a]\n"
     "source = libsvm\n"
     "file = adult-libsvm/a9a.gz\n"
     "test_file = adult-libsvm/a9a.t.gz\n"},
    {"w8a", "Web pages, 300 binary features, 3 % of one class; Platt 1998.",
     "[task.w8a]\n"
     "source = libsvm\n"
     "file = web-libsvm/w8a.gz\n"
     "holdout = 0.2\n"},
    {"higgs", "Collisions, 28 features, a small sample; Baldi et al. 2014.",
     "[task.higgs]\n"
     "source = csv\n"
     "file = higgs-10k/higgs_10984.csv.gz\n"
     "holdout = 0.2\n"},
    {"wdbc", "Breast cancer, 30 features; Wolberg et al. 1995.",
     "[task.wdbc]\n"
     "source = csv\n"
     "file = small/wdbc.data\n"
     "label = 2\n"
     "drop = 1\n"
     "holdout = 0.2\n"},
    {"breast-cancer", "Breast cancer, 9 features with missing values; Wolberg 1990.",
     "[task.breast-cancer]\n"
     "source = csv\n"
     "file = small/breast-cancer-wisconsin.data\n"
     "drop = 1\n"
     "missing = mean\n"
     "holdout = 0.2\n"},
    {"pima", "Diabetes, 8 features; Smith et al. 1988.",
     "[task.pima]\n"
     "source = csv\n"
     "file = small/pima-indians-diabetes.csv\n"
     "holdout = 0.2\n"},
    {"sonar", "Mines against rocks, 60 features; Gorman and Sejnowski 1988.",
     "[task.sonar]\n"
     "source = csv\n"
     "file = small/sonar.csv\n"
     "holdout = 0.2\n"},
    {"iris", "Three irises, 4 features; Fisher 1936.",
     "[task.iris]\n"
     "source = csv\n"
     "file = small/iris.csv\n"
     "holdout = 0.2\n"},
};

const cop_known_set *cop_known_sets(size_t *count) {
    *count = sizeof sets / sizeof *sets;
    return sets;
}

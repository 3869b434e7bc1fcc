/* Layers, one line each: X(object of type cop_layer_op, word, arguments, one sentence). */
#define COP_LAYER_LIST(X)                                                                          \
    X(cop_layer_dense, "dense", "(out)", "every input to every output, plus a bias")               \
    X(cop_layer_conv2d, "conv2d", "(out, kernel[, stride[, padding]])",                            \
      "square kernels over an image, plus a bias for each output channel")                         \
    X(cop_layer_maxpool, "maxpool", "(kernel[, stride])",                                          \
      "largest value of each square window; the stride is the kernel if not given")                \
    X(cop_layer_dropout, "dropout", "(rate)",                                                      \
      "in training sets values to 0 with this probability and divides the others by 1 - rate")     \
    X(cop_layer_flatten, "flatten", "", "an image as one row of numbers, channel by channel")      \
    X(cop_layer_identity, "identity", "", "x")                                                     \
    X(cop_layer_relu, "relu", "", "max(x, 0)")                                                     \
    X(cop_layer_leaky_relu, "leaky_relu", "", "x if x > 0, else 0.01 x")                           \
    X(cop_layer_elu, "elu", "", "x if x > 0, else exp(x) - 1")                                     \
    X(cop_layer_tanh, "tanh", "", "hyperbolic tangent")                                            \
    X(cop_layer_sigmoid, "sigmoid", "", "1 / (1 + exp(-x))")                                       \
    X(cop_layer_softplus, "softplus", "", "log(1 + exp(x))")                                       \
    X(cop_layer_silu, "silu", "", "x / (1 + exp(-x))")

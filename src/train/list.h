/* Optimisers, one line each: X(object of type cop_optimiser, name, one sentence, paper). */
#define COP_OPTIMISER_LIST(X)                                                                      \
    X(cop_optimiser_sgd, "sgd", "gradient descent with momentum",                                  \
      "Polyak 1964, Some methods of speeding up the convergence of iteration methods")             \
    X(cop_optimiser_adam, "adam", "steps scaled by running moments of the gradient",               \
      "Kingma & Ba 2015, Adam: a method for stochastic optimization")                              \
    X(cop_optimiser_adadelta, "adadelta", "steps scaled by running sizes of gradient and step",    \
      "Zeiler 2012, ADADELTA: an adaptive learning rate method")

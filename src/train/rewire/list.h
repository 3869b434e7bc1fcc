/* Rules of rewiring, one line each; the object is cop_remove_NAME or cop_add_NAME. */
#define COP_REMOVE_LIST(X) X(magnitude) X(cosine)
#define COP_ADD_LIST(X) X(random) X(cosine_top) X(cosine_sampled) X(gradient_top)

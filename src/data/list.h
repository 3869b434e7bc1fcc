/* One row per source of samples: adding one is a file and a line here. */
COP_SOURCE(idx)
COP_SOURCE(csv)
COP_SOURCE(libsvm)
COP_SOURCE(cifar)
COP_SOURCE(glyphs_digits)
COP_SOURCE(glyphs_letters)
COP_SOURCE(binary_clusters)
COP_SOURCE(blobs)

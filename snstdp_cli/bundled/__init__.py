"""A stratified subset of MNIST, so that every command works without a download; see README.md for its provenance."""

"""Pictures with exact truth, drawn from a seed: one file a kind of picture, every function pure in its generator.

`truth` says what a picture carries, `fonts` which faces draw it (training and test apart), `words` what is printed.
"""

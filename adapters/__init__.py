"""One file a family of models; the file name is the registration."""

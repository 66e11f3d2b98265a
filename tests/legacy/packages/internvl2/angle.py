"""What the table starts from; two imports away from the model."""

STEP = 10000.0

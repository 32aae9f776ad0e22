"""Operations of a training step, written for a CPU, where transformers' own are slow at them."""

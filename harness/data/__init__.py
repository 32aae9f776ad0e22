"""The rows of a run: splits, decontamination, corrections, plan and augmentation."""

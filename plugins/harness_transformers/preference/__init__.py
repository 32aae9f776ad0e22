"""The trainer ``preference``: learning from pairs (DPO) and from good and bad answers (KTO)."""

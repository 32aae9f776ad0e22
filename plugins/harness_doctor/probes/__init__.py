"""Looks in a process of their own, as ``python -m harness_doctor.probes.torch_build``."""

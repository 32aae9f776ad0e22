"""The parts of ``harness doctor``, each a module: from looks to facts, and to what is wrong."""

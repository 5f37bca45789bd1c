"""Networks as LEMS models, which simulators of NeuroML run."""

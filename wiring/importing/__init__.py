"""From any graph to a circuit: what its nodes and edges mean, decided by rules that the caller can see."""

"""One step of a network as a program of a few array operations, and that as C or ONNX."""

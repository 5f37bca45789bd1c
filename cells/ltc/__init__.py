"""The liquid time-constant cell: equation, operations, kernel and what ncps calls it."""

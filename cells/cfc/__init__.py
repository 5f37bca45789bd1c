"""The CfC, the closed form, over a circuit: equation, operations, kernel and what ncps calls it."""

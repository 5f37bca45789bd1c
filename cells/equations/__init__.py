"""Cells from equations: what a class declares, read, differentiated, and run."""

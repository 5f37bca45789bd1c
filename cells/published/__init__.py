"""Cells of published papers, written as equations: one file each."""

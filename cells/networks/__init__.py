"""Cells over sequences: runners, containers, streams, and what is done with networks."""

"""Liquid cells without wiring, behind a backbone network: equations, kernel and what ncps calls them."""

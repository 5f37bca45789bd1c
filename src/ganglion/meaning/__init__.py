"""What trained numbers mean: which of them data tell, how sure they are, and what else fits as well."""

from .spectrum import Combination, Identifiability, identifiability

__all__ = ["Combination", "Identifiability", "identifiability"]

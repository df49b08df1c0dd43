"""Teach a model: heads on the features of a body, and how right they are on photos not seen."""

"""Look inside a network: what its layers compute for one photo."""

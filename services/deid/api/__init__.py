"""How does an operator speak to deid? List what is held, look at it, decide."""

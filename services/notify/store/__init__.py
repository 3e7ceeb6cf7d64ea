"""How does what notify knows lie in its own schema? SQL here, nowhere else."""

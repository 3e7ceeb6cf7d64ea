"""How does matching's state lie in its own Postgres schema? SQL here, nowhere else."""

"""The parts of the benchmark of the pipeline: what is run, what it is compared with, the table."""

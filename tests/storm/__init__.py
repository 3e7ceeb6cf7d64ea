"""A storm: cases through all five services while everything is killed. `python -m tests.storm`."""

"""How does all of Overread run on one machine, on real Postgres and real Kafka?

Imports nothing: setup.py runs from here before any package is installed.
"""

"""How does one real Kafka broker run on this machine, without Docker?"""

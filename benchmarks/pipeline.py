"""How fast does a case travel? One hop, all five services, the first offer, and memory, in one run.

Each figure stands beside a limit or a peer measured in the same minutes on the same machine.
"""

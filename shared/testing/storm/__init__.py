"""Does Overread lose, double or disorder anything while it is being hurt? `make storm` says."""

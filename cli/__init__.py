"""What can a person do from a terminal? `overread --help` lists it; one module per group here."""

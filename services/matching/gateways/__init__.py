"""What does matching read besides its database? The seed file."""

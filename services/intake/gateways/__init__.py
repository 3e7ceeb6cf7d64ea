"""What intake does to the world outside its database: the vault, the sandbox, the seed file."""

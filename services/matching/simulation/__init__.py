"""What would a policy do to weeks of cases? The real domain code, in virtual time."""

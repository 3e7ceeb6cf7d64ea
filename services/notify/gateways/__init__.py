"""How does notify reach the world outside? One file per other end."""

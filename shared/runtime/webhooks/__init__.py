"""How does somebody's own system hear of things? By signed requests (Standard Webhooks)."""

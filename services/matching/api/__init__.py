"""Matching's HTTP edges: readers take and give back cases, operators keep roster and board."""

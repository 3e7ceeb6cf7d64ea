"""All SQL of intake: cases and their log, arrivals, partners, requests."""

"""Intake's HTTP edge: events and images in, cases and their events out."""

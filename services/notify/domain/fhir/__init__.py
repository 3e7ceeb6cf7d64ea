"""How does a result read in FHIR R4? Start at bundle.py."""

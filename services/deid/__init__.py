"""deid answers: can this leave the building?"""

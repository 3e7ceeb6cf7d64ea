"""intake answers: is this case complete, and good enough to be read?"""

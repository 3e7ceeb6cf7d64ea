"""matching answers: who reads it, and by when?"""

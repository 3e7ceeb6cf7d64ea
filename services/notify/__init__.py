"""notify answers: who must know, how, and do they know?"""

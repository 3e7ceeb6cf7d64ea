"""How much burned-in text is found? Generated frames, their words, and the score."""

"""Free text without the patient: known identifiers, 45 CFR 164.514(b)(2), and doubt that holds.

Start at scrubber.py. Pure: the words of the language come in as a `Lexicon`.
"""

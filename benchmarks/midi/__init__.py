"""Would our de-identification have won MIDI-B? Patients of our own, with an answer key."""

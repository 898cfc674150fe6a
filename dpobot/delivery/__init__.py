"""Stage 7: what leaves dpobot for a person's room, after a check at that very moment."""

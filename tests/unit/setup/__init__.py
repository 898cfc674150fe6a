"""`dpobot init` without a homeserver."""

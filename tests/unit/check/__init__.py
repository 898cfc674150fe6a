"""What `dpobot check` says, and how."""

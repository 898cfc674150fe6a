"""What other homeservers publish about themselves, asked for as one asks strangers: bounded in place, size and time."""

"""What staff can say, one file a command or a few that belong together."""

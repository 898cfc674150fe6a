"""The staff room: which room it is, who is staff in it, and what it is shown of each case."""

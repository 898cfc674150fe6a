"""The staff room: one encrypted room in which staff work, a card and a thread for each case."""

"""The one place that speaks Matrix: encryption, rooms, media, trust."""

"""The one-time HTTPS link: archives of many volumes, fetched with a browser instead of from the room."""

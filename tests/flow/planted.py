"""Words that stand for what people write and own: they may appear in their rooms, and nowhere in logs or tables."""

BODY = "marzipanweather"
DISPLAY_NAME = "quillonhazel"
FILE_NAME = "saffronledger.pdf"
ROOM_NAME = "umbermeadow"

PLANTED = (BODY, DISPLAY_NAME, FILE_NAME, ROOM_NAME)

"""`dpobot check`: is what the privacy notice promises true on this machine, and can dpobot do its work?

A check is data: what it is called, what it asks, and who looks (`finding`). They are listed in `checks`; `settings`
reads the homeserver's files, `retention`, `server` and `own` judge, `report` shows.
"""

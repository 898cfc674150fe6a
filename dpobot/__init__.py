"""dpobot: the Data Protection Officer's contact point on a Matrix homeserver.

1. inbox       a message comes in and is ours before it is acted on
2. commands    it is understood, and who may ask it is checked
3. cases       it becomes a case, with its audit row and the wish for its job, in one transaction
4. jobs        the job carries the case out, step by step, journaled by the engine
5. homeserver  what is held of the person is asked for, category by category
6. archive     it becomes volumes that open alone, read back and checked before release
7. delivery    they go, encrypted, into a room that holds exactly the person and the bot
"""

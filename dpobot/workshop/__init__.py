"""What the bot and every worker have alike: the database, the homeserver's administration, the jobs, the engine."""

"""What people can say to the bot: commands as data, how words become one of them, and what each does."""

"""Where the Matrix Authentication Service (MAS) keeps the accounts: its admin API beside that of Synapse."""

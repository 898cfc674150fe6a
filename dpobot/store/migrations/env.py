"""What alembic runs: the migrations, on the connection and in the transaction that it was handed."""

from alembic import context

from dpobot.store.migrations.compare import OPTIONS

context.configure(connection=context.config.attributes["connection"], **OPTIONS)
with context.begin_transaction():
    context.run_migrations()

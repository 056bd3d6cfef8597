"""Alembic's way in: the connection and the transaction are those of `database.migrate`."""

from alembic import context

from tangga.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

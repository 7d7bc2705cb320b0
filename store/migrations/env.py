"""Alembic environment: revisions run on the given connection, inside its transaction."""

from alembic import context

from store.models import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()

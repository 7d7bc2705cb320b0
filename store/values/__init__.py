"""The values that the store returns, by topic. They are frozen, and importing them loads no SQLAlchemy."""

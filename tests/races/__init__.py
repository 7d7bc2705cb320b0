"""Races between processes, on SQLite and on PostgreSQL. Beside each rule stands the naive way, which loses."""

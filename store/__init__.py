"""The store: tables, rules, money and secrets at rest. It knows no screen and no network.

`store.store.open_store` returns a `Store` with one attribute per topic (`accounts`, `sessions`, `quota`, ...), and each
topic is one module. A topic gets a `Context` (database, clock, random source, keys, hasher) and the topics that it
uses; no module holds state. `values` holds the frozen values that topics return, `sections` declares the settings of an
account and `site_switches` those of the site. `models` declares the tables, `database` opens transactions, `schema` and
`migrations` keep the schema current, and `errors` holds every error. The audit log is the `audit*` modules, encryption
and its keys are `at_rest`, `key_file`, `key_check`, `sealed_columns` and `rekey`, and backups are `backup*`, `restore*`
and `row_copy`.

Tables are SQLAlchemy Core tables whose columns are typed, and a test compares the migrations with them. Statements are
Core on a `Connection`, and the ORM is never imported: everything that may happen once (a code, a reservation, a
version, a lease) is claimed by a conditional UPDATE whose rowcount decides. ORM objects are read, changed and written
back, so of two concurrent changes one would be lost.
"""

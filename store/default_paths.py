"""The default places of the data and the key, by the platform. Imports no SQLAlchemy."""

from pathlib import Path


def default_path() -> Path:
    """The default path of the database: the user's data folder of the platform."""
    from platformdirs import user_data_path

    return user_data_path("gatekey", appauthor=False) / "gatekey.sqlite3"


def default_key_path() -> Path:
    """The default path of the key: the user's configuration folder of the platform, apart from the data."""
    from platformdirs import user_config_path

    return user_config_path("gatekey", appauthor=False) / "key"

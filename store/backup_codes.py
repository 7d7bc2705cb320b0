"""Backup recovery codes: ten codes of 80 random bits, hashed with argon2id, each usable once."""

import random
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from store.context import Context
from store.errors import CodeAlreadyUsed, WrongCode
from store.models import BackupCode
from store.values.two_factor import BACKUP_CODES_PER_SET

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32, without letters that look like digits."""
CODE_LENGTH: Final = 16
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def generate(rng: random.Random) -> tuple[str, ...]:
    """Ten new random codes of the form `XXXX-XXXX-XXXX-XXXX`."""
    codes = ("".join(rng.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(BACKUP_CODES_PER_SET))
    return tuple("-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4)) for code in codes)


def canonical(text: str, length: int = CODE_LENGTH) -> str | None:
    """The symbols of a typed code, with case, spaces, dashes and lookalikes normalized. None if it is not a code."""
    bare = text.replace(" ", "").replace("-", "").upper().translate(_LOOKALIKES)
    return bare if len(bare) == length and all(symbol in ALPHABET for symbol in bare) else None


class BackupCodes:
    """Hashes, finds, claims and replaces an account's backup codes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def hash_all(self, codes: tuple[str, ...]) -> list[str]:
        """The hashes of `codes`, in order. Slow: do not call it inside a transaction."""
        return [self._context.hasher.hash_code(canonical(code) or code) for code in codes]

    def matches(self, text: str, hashes: list[str]) -> bool:
        """True if `text` is one of the codes of `hashes`. Slow."""
        code = canonical(text)
        return code is not None and any(self._context.hasher.check_code(code, stored) for stored in hashes)

    def find(self, account_id: int, text: str) -> int:
        """The row id of the account's code `text`, used or not. Slow. Raises `WrongCode`."""
        code = canonical(text)
        if code is None:
            raise WrongCode(field="code")
        with self._context.database.read() as tx:
            rows = tx.execute(
                select(BackupCode.c.id, BackupCode.c.code_hash)
                .where(BackupCode.c.account_id == account_id)
                .order_by(BackupCode.c.id)
            ).all()
        for row in rows:
            if self._context.hasher.check_code(code, row.code_hash):
                return int(row.id)
        raise WrongCode(field="code")

    def claim(self, tx: Connection, account_id: int, code_id: int) -> int:
        """Mark one code as used; returns the number of unused codes. Raises `CodeAlreadyUsed`."""
        claimed = tx.execute(
            update(BackupCode)
            .where(BackupCode.c.id == code_id, BackupCode.c.account_id == account_id, BackupCode.c.used_at.is_(None))
            .values(used_at=self._context.now())
        )
        if claimed.rowcount != 1:
            raise CodeAlreadyUsed("This backup code was used before. Enter another one.", field="code")
        return self.left(tx, account_id)

    def replace(self, tx: Connection, account_id: int, hashes: list[str]) -> None:
        """Replace all codes of the account by new ones."""
        tx.execute(delete(BackupCode).where(BackupCode.c.account_id == account_id))
        now = self._context.now()
        tx.execute(
            insert(BackupCode),
            [{"account_id": account_id, "code_hash": code, "created_at": now} for code in hashes],
        )

    def remove(self, tx: Connection, account_id: int) -> None:
        tx.execute(delete(BackupCode).where(BackupCode.c.account_id == account_id))

    def left(self, tx: Connection, account_id: int) -> int:
        """The number of unused codes."""
        unused = select(func.count()).where(BackupCode.c.account_id == account_id, BackupCode.c.used_at.is_(None))
        return int(tx.execute(unused).scalar_one())

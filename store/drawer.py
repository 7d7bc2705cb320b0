"""The drawer of an account: what was saved where the person may write no file. It is fetched once, within an hour.

Each item is encrypted under a key of its own, and that key under the site's key. A rotation of the site's key therefore
seals the small key again, not the content. A part is bound to its account, its item, its number, and
whether it is the last, so none can be moved, swapped or left out.

Of several fetches at once, one has the item: it claims it, and the others are told. The fetch that reads the last
missing part removes the item in the same transaction, so no two fetches ever read a whole item. A fetch that breaks off
before gives the item back, and it can be fetched again within its hour. A small item has one part: it counts as
fetched when it is read, also if the connection is lost at that moment.
"""

import re
from collections.abc import Collection
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from store.at_rest import KEY_BYTES
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.drawer_parts import Content, open_part, sealed_parts
from store.errors import DrawerFull, InvalidInput, NoSuchItem
from store.models import DrawerItemRow, DrawerPart
from store.sessions import Sessions
from store.values.drawer import DrawerFetch, DrawerItem

LIFETIME: Final = timedelta(hours=1)
MAX_ITEMS: Final = 20
MAX_DRAWER_BYTES: Final = 64 << 20
"""All items of an account together. One item has at most `store.drawer_parts.MAX_ITEM_BYTES`."""
FETCH_LEASE: Final = timedelta(minutes=2)
"""The time in which a fetch has to read its next part."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GONE: Final = "It is not in your drawer: it was fetched, it was removed, or its hour is over. Save it again."
_TAKEN: Final = "It is being fetched at this moment. It is gone after that, or there again if the fetch breaks off."
_FULL: Final = "It holds at most {}. Fetch or remove one first."


class Drawer:
    """Puts items into the drawer of a session's account, lists, hands out and removes them."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions

    def list(self, token: str) -> tuple[DrawerItem, ...]:
        """The items that can be fetched, the newest first, after the removal of those whose hour is over."""
        now = self._context.now()
        with self._sessions.reading(token) as (tx, session):
            rows = tx.execute(
                select(DrawerItemRow)
                .where(DrawerItemRow.c.account_id == session.account_id)
                .order_by(DrawerItemRow.c.put_at.desc(), DrawerItemRow.c.name)
            ).all()
        if any(row.expires_at <= now for row in rows):
            with self._sessions.writing(token) as (tx, session):
                self._purge_of(tx, session.account_id)
        return tuple(_item(row) for row in rows if row.expires_at > now)

    def put(self, token: str, name: str, content: Content) -> DrawerItem:
        """Put `content` into the drawer. A name that is taken gets a number, as in `export-2.json`.

        The content is held in memory, encrypted, until it is whole: an item is there completely or not at all. Raises
        `TooLargeForDrawer` beyond `MAX_ITEM_BYTES`, `DrawerFull` beyond `MAX_ITEMS` or `MAX_DRAWER_BYTES`, and
        `InvalidInput` for a name that is none.
        """
        if _NAME.fullmatch(name) is None:
            raise InvalidInput("This is no name for an item of the drawer.")
        account_id = self._sessions.whoami(token).account_id
        item_id, key = self._context.rng.randbytes(16).hex(), self._context.rng.randbytes(KEY_BYTES)
        parts, size = sealed_parts(content, key, _place(account_id, item_id), self._context.rng)
        with self._sessions.writing(token) as (tx, session):
            self._purge_of(tx, session.account_id)
            mine = DrawerItemRow.c.account_id == session.account_id
            count, used = tx.execute(
                select(func.count(), func.coalesce(func.sum(DrawerItemRow.c.size_bytes), 0)).where(mine)
            ).one()
            if count >= MAX_ITEMS:
                raise DrawerFull(_FULL.format(f"{MAX_ITEMS} items"))
            if int(used) + size > MAX_DRAWER_BYTES:
                raise DrawerFull(_FULL.format(f"{MAX_DRAWER_BYTES >> 20} MiB"))
            taken = set(tx.execute(select(DrawerItemRow.c.name).where(mine)).scalars())
            now = self._context.now()
            item = DrawerItem(item_id, _free_name(name, taken), size, now, now + LIFETIME)
            tx.execute(
                insert(DrawerItemRow).values(
                    id=item.id,
                    account_id=session.account_id,
                    name=item.name,
                    size_bytes=size,
                    parts=len(parts),
                    key_sealed=self._context.seal(key.hex(), associated_data(item_id)),
                    put_at=item.put_at,
                    expires_at=item.expires_at,
                )
            )
            for number, part in enumerate(parts):
                tx.execute(insert(DrawerPart).values(item_id=item_id, number=number, content=part))
            self._audit.record_by(tx, session, Tag.DRAWER_PUT, name=item.name)
        return item

    def remove(self, token: str, item_id: str) -> None:
        """Remove an item. A fetch that has it now breaks off. Raises `NoSuchItem`."""
        with self._sessions.writing(token) as (tx, session):
            name = tx.execute(
                delete(DrawerItemRow)
                .where(
                    DrawerItemRow.c.id == item_id,
                    DrawerItemRow.c.account_id == session.account_id,
                    DrawerItemRow.c.expires_at > self._context.now(),
                )
                .returning(DrawerItemRow.c.name)
            ).scalar()
            if name is None:
                raise NoSuchItem(_GONE)
            self._audit.record_by(tx, session, Tag.DRAWER_REMOVED, name=name)

    def claim(self, token: str, name: str) -> DrawerFetch:
        """Claim an item for a fetch. Raises `NoSuchItem`, also while another fetch has it.

        A claim that reads nothing for `FETCH_LEASE` may be taken over.
        """
        now, fetch_id = self._context.now(), self._context.rng.randbytes(16).hex()
        with self._sessions.writing(token) as (tx, session):
            self._purge_of(tx, session.account_id)
            here = and_(DrawerItemRow.c.account_id == session.account_id, DrawerItemRow.c.name == name)
            row = tx.execute(
                update(DrawerItemRow)
                .where(here, or_(DrawerItemRow.c.fetch_id.is_(None), DrawerItemRow.c.fetch_until <= now))
                .values(fetch_id=fetch_id, fetch_until=now + FETCH_LEASE)
                .returning(*DrawerItemRow.c)
            ).one_or_none()
            is_there = tx.execute(select(DrawerItemRow.c.id).where(here)).scalar() is not None
        # Not inside the transaction, which would put back what is over.
        if row is None:
            raise NoSuchItem(_TAKEN if is_there else _GONE)
        return DrawerFetch(fetch_id, _item(row), row.parts)

    def read(self, token: str, fetch: DrawerFetch, number: int, *, is_last_missing: bool) -> bytes:
        """Part `number` of the content. With `is_last_missing` the item is removed in the same transaction.

        Raises `NoSuchItem` if the fetch has the item no more, `KeyWrong`, and the errors of the session: a session
        that ends meanwhile reads no further.
        """
        now = self._context.now()
        with self._sessions.writing(token) as (tx, session):
            key_sealed = tx.execute(
                update(DrawerItemRow)
                .where(
                    DrawerItemRow.c.id == fetch.item.id,
                    DrawerItemRow.c.account_id == session.account_id,
                    DrawerItemRow.c.fetch_id == fetch.id,
                    DrawerItemRow.c.expires_at > now,
                )
                .values(fetch_until=now + FETCH_LEASE)
                .returning(DrawerItemRow.c.key_sealed)
            ).scalar()
            part = tx.execute(
                select(DrawerPart.c.content).where(DrawerPart.c.item_id == fetch.item.id, DrawerPart.c.number == number)
            ).scalar()
            if key_sealed is None or part is None:
                raise NoSuchItem(_GONE)
            key = bytes.fromhex(self._context.ring.open(key_sealed, associated_data(fetch.item.id)))
            place = _place(session.account_id, fetch.item.id)
            content = open_part(part, key, place, number, is_last=number == fetch.parts - 1)
            if is_last_missing:
                tx.execute(delete(DrawerItemRow).where(DrawerItemRow.c.id == fetch.item.id))
                self._audit.record_by(tx, session, Tag.DRAWER_FETCHED, name=fetch.item.name)
            return content

    def release(self, fetch: DrawerFetch) -> None:
        """Give back an item that was not fetched whole. It may be gone by now."""
        with self._context.database.write() as tx:
            tx.execute(
                update(DrawerItemRow)
                .where(DrawerItemRow.c.id == fetch.item.id, DrawerItemRow.c.fetch_id == fetch.id)
                .values(fetch_id=None, fetch_until=None)
            )

    def purge(self) -> int:
        """Remove the items of all accounts whose hour is over; returns the number.

        Items that another transaction holds are left to the next purge: waiting for several could end in a deadlock.
        """
        now = self._context.now()
        over = select(DrawerItemRow.c.id).where(DrawerItemRow.c.expires_at <= now).with_for_update(skip_locked=True)
        with self._context.database.write() as tx:
            ids = tx.execute(over).scalars().all()
            return tx.execute(delete(DrawerItemRow).where(DrawerItemRow.c.id.in_(ids))).rowcount if ids else 0

    def _purge_of(self, tx: Connection, account_id: int) -> None:
        """Remove the items of an account whose hour is over. The caller holds the lock on the account's row."""
        mine = DrawerItemRow.c.account_id == account_id
        tx.execute(delete(DrawerItemRow).where(mine, DrawerItemRow.c.expires_at <= self._context.now()))


def associated_data(item_id: str) -> str:
    """The associated data of the sealed key of an item."""
    return f"drawer_items:key:{item_id}"


def _place(account_id: int, item_id: str) -> str:
    return f"{account_id}:{item_id}"


def _free_name(name: str, taken: Collection[str]) -> str:
    """`name`, with a number if it is taken."""
    path, number = PurePosixPath(name), 2
    free = name
    while free in taken:
        free = f"{path.stem}-{number}{path.suffix}"
        number += 1
    return free


def _item(row: Any) -> DrawerItem:
    return DrawerItem(row.id, row.name, row.size_bytes, row.put_at, row.expires_at)

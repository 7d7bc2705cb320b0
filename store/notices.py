"""Security notices: an e-mail to the account's own address when its credentials change.

Notices are sent if the administrator has configured SMTP. The account's notification channels do not affect them.
"""

from typing import Final

from sqlalchemy import Connection, select

from store.audit_tags import Tag
from store.context import Context
from store.models import Account, SiteSetting
from store.outbox_queue import enqueue
from store.sections import Channel

SENTENCES: Final[dict[Tag, str]] = {
    Tag.PASSWORD_CHANGED: "Your password was changed. Every other session was signed out.",
    Tag.PASSWORD_RESET: "An administrator set a new password for your account. Every session was signed out.",
    Tag.TWO_FACTOR_ENABLED: "Two-factor authentication was enabled.",
    Tag.TWO_FACTOR_DISABLED: "Two-factor authentication was disabled.",
    Tag.BACKUP_CODE_USED: "A backup recovery code was used.",
    Tag.BACKUP_CODES_RENEWED: "New backup recovery codes were generated. The old ones no longer work.",
    Tag.ACCESS_TOKEN_GENERATED: "A new System Access Token was generated. The previous one no longer works.",
    Tag.ACCESS_TOKEN_REVOKED: "The System Access Token was revoked.",
    Tag.PASSKEY_ADDED: "A passkey was registered.",
    Tag.PASSKEY_REMOVED: "A passkey was removed.",
    Tag.PASSKEY_CLONED: "A passkey was refused because it may have been copied. Remove it.",
    Tag.SSH_KEY_ADDED: "An SSH key was added. It opens your console.",
    Tag.SSH_KEY_REMOVED: "An SSH key was removed.",
    Tag.IDENTITY_BOUND: "An external identity was bound to your account.",
    Tag.IDENTITY_UNBOUND: "An external identity was unbound from your account.",
    Tag.ACCOUNT_EMAIL_CHANGED: "The e-mail address of your account was changed.",
    Tag.ACCOUNT_SUSPENDED: (
        "An administrator suspended your account. Nobody can sign in to it, and its API keys and System Access Token "
        "are refused."
    ),
    Tag.ACCOUNT_RESUMED: "An administrator resumed your account. You can sign in again.",
    Tag.TWO_FACTOR_RESET: (
        "An administrator switched two-factor authentication off for your account. Every session was signed out."
    ),
    Tag.KEYS_REVOKED: "An administrator revoked the API keys and the System Access Token of your account.",
    Tag.BACKUP_CODES_LOW: "Three or fewer backup recovery codes are left. Make new ones in the Security Settings.",
}
"""The text of the notice for each event."""

DELETED: Final = "account:deleted"
DELETED_SENTENCE: Final = "Your account and everything stored about it was deleted."


class Notices:
    """Queues security notices."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def enqueue(self, tx: Connection, account_id: int, tag: Tag, *, also_to: str = "") -> None:
        """Queue the notice for `tag` inside the transaction of the event.

        It is sent to the account's address at the time of delivery, and to `also_to`, the previous address.
        """
        row = tx.execute(select(Account.c.name, Account.c.email).where(Account.c.id == account_id)).one()
        if not self._is_mail_configured(tx):
            return
        payload = {"name": row.name, "sentence": SENTENCES[tag]}
        if row.email:
            enqueue(self._context, tx, account_id, tag.value, payload, [Channel.EMAIL])
        if also_to:
            enqueue(self._context, tx, account_id, tag.value, payload, [Channel.EMAIL], recipient=also_to)

    def enqueue_deletion_notice(self, tx: Connection, email: str) -> None:
        """Queue the notice of the deletion. It is kept after the account, with its address encrypted."""
        if email and self._is_mail_configured(tx):
            payload = {"sentence": DELETED_SENTENCE}
            enqueue(self._context, tx, None, DELETED, payload, [Channel.EMAIL], recipient=email)

    def _is_mail_configured(self, tx: Connection) -> bool:
        host = tx.execute(select(SiteSetting.c.value).where(SiteSetting.c.name == "smtp.host")).scalar()
        return bool(host)

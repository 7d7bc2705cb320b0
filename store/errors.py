"""All errors that a user can see, each with a title and a sentence to act on.

Names on one line have the same parent. An indented line lists the children of the last name above it.

GatekeyError
├── InvalidInput  typed or sent input was refused; `field` names the field
│   ├── InvalidName  InvalidEmail  InvalidMoney  InvalidUrl  InvalidLabel  InvalidSecret
│   ├── InvalidModel  InvalidNumber  InvalidExpiry  InvalidNetwork  InvalidSshKey  SpendLimitMissing
│   ├── UnknownSetting  InvalidSetting
│   └── PasswordRefused
│       └── PasswordTooShort  PasswordTooLong  PasswordTooWeak  PasswordsDoNotMatch  SameAsOldPassword
├── NotAuthentic  a credential was not accepted
│   ├── WrongCredentials  WrongOriginalPassword  WrongCode  CodeAlreadyUsed  ClockSkewed
│   ├── SignInExpired  SessionLocked
│   ├── SessionEnded
│   │   └── SessionSuspended
│   ├── InvalidToken  InvalidApiKey
│   ├── PasskeyRefused
│   │   └── ClonedPasskey
│   └── IdentityRefused
├── NotAllowed  the account is known, but the act is refused
│   ├── FreshProofRequired  TooManyAttempts  FactorDisabled
│   ├── AccountSuspended  PasswordNeeded
│   ├── DisabledByAdministrator
│   │   └── PasskeysDisabled  BindingsDisabled  FilesOff
│   ├── LastCredential  LastAdministrator  RootAccount
│   ├── UsernameDoesNotMatch  CodeRefused
│   ├── ServerRefused
│   ├── NotOnThisServer
│   │   └── BrowserNeeded
│   ├── ApiKeyDisabled  ModelNotAllowed  NetworkNotAllowed  RequestRateReached
│   └── ModelNotPriced  QuotaExceeded  SpendLimitReached
├── NotFound
│   └── NoSuchAccount  NoSuchItem
├── Conflict
│   ├── NameTaken  ModelSpeltOtherwise  AlreadyBound  AlreadyEnabled  NotEnabled
│   ├── LimitReached
│   │   └── DrawerFull  TooLargeForDrawer
│   ├── AlreadySuspended  NotSuspended
│   └── StaleEdit  AlreadySettled  StepMissing
├── GatewayError  another server failed
│   ├── DeliveryFailed  ProviderFailed  UpstreamFailed  QuestionRefused  AddressRefused
│   └── CannotListen  HostKeyUnusable  TracesMissing
├── OutputFailed  the result could not be written
└── StoreUnavailable  the data cannot be reached or trusted
    ├── DatabaseBusy
    │   └── FirstRunOvertaken
    ├── DatabaseUnreachable
    │   └── DatabaseAccessDenied
    ├── DatabaseFull  DatabaseReadOnly  DatabaseMissing  DatabaseNotUtf8
    ├── DatabaseForeign  DatabaseDamaged  DatabaseExposed  DatabaseOnNetwork  DatabaseRefused
    ├── DatabaseInUse  BackupRefused
    ├── SchemaTooOld  SchemaTooNew
    ├── KeyMissing
    │   └── KeyNotMade
    ├── KeyWrong  KeyExposed
    ├── ServerFailed  the account's server, for an account that is elsewhere
    │   ├── ServerUnreachable
    │   │   └── CertificateRefused
    │   ├── AnswerUnreadable
    │   │   └── NotANewApi
    │   └── AnswerLost  ServerRateLimited  SaveInterrupted
    └── ClockWentBack
"""

from datetime import timedelta
from typing import ClassVar


class GatekeyError(Exception):
    """The root of all errors. `title` is the title of a dialog, `str(error)` one or two sentences to act on.

    Neither contains a secret. `field` is the name of the form field with the error, or empty.
    """

    title: ClassVar[str] = "Something went wrong"
    sentence: ClassVar[str] = "The action was not carried out."

    def __init__(self, sentence: str | None = None, *, field: str = "") -> None:
        super().__init__(sentence or self.sentence)
        self.field = field
        self.tries_left: int | None = None
        """The attempts that are left before a wait, for a failed attempt; the same for known and unknown names."""


# -- input -----------------------------------------------------------------------------------------------------


class InvalidInput(GatekeyError):
    title = "Please check what you entered"


class InvalidName(InvalidInput):
    title = "This name cannot be used"
    sentence = "A name has 1 to 64 letters, digits or any of . _ - @ + and no spaces."


class InvalidEmail(InvalidInput):
    title = "This is not an e-mail address"
    sentence = "Enter one address, such as alice@example.com."


class InvalidMoney(InvalidInput):
    title = "This is not an amount"
    sentence = "Enter dollars with up to two decimals, such as 1.00."


class SpendLimitMissing(InvalidInput):
    title = "There is no spend limit"
    sentence = "Set a limit first."


class InvalidUrl(InvalidInput):
    title = "This address cannot be used"
    sentence = "Enter a web address that starts with https:// or http://."


class InvalidLabel(InvalidInput):
    title = "This label cannot be used"
    sentence = "A label has 1 to 64 visible characters."


class InvalidSecret(InvalidInput):
    title = "This secret cannot be used"
    sentence = "The secret does not have the expected form."


class InvalidModel(InvalidInput):
    title = "This model name cannot be used"
    sentence = "A model name has 1 to 200 visible characters without spaces at its ends."


class InvalidNumber(InvalidInput):
    title = "This number cannot be used"
    sentence = "Enter a whole number within the range shown."


class InvalidExpiry(InvalidInput):
    title = "This date cannot be used"
    sentence = "An expiry lies in the future."


class InvalidNetwork(InvalidInput):
    title = "This network cannot be used"
    sentence = "Enter an IP address or a network, such as 10.0.0.0/24."


class InvalidSshKey(InvalidInput):
    title = "This SSH key cannot be used"
    sentence = "Paste the one line of a file such as ~/.ssh/id_ed25519.pub."


class UnknownSetting(InvalidInput):
    title = "There is no such setting"
    sentence = "There is no setting of that name."


class InvalidSetting(InvalidInput):
    title = "This value cannot be used"
    sentence = "The value does not fit the setting."


class PasswordRefused(InvalidInput):
    title = "This password cannot be used"


class PasswordTooShort(PasswordRefused):
    """`shortest` is the minimum length in characters."""

    def __init__(self, sentence: str | None = None, *, shortest: int = 8, field: str = "") -> None:
        super().__init__(sentence or f"A password has at least {shortest} characters.", field=field)
        self.shortest = shortest


class PasswordTooLong(PasswordRefused):
    sentence = "A password has at most 1,024 characters."


class PasswordTooWeak(PasswordRefused):
    sentence = "This password is easy to guess. Add another word or two."


class PasswordsDoNotMatch(PasswordRefused):
    sentence = "The new password and its confirmation do not match."


class SameAsOldPassword(PasswordRefused):
    sentence = "The new password is the same as the old one."


# -- authentication --------------------------------------------------------------------------------------------


class NotAuthentic(GatekeyError):
    title = "Not signed in"


class WrongCredentials(NotAuthentic):
    title = "Sign-in failed"
    sentence = "Wrong username or password."


class WrongOriginalPassword(NotAuthentic):
    title = "Wrong password"
    sentence = "The password does not match the current one."


class WrongCode(NotAuthentic):
    title = "Try again"
    sentence = "The code is wrong. Enter the one your authenticator app shows now."


class CodeAlreadyUsed(NotAuthentic):
    title = "Not accepted"
    sentence = "This code was used before. Wait for the next one."


class ClockSkewed(NotAuthentic):
    """`seconds` is the difference of the authenticator's clock: positive if it is ahead."""

    title = "The clocks do not agree"

    def __init__(self, seconds: int) -> None:
        way = "ahead of" if seconds > 0 else "behind"
        super().__init__(
            f"Your authenticator's clock is about {abs(seconds)} seconds {way} this machine's. "
            "Set both to automatic time, then enter a new code."
        )
        self.seconds = seconds


class SignInExpired(NotAuthentic):
    title = "Time ran out"
    sentence = "This took too long. Start again."


class SessionEnded(NotAuthentic):
    title = "Signed out"
    sentence = "This session has ended. Sign in again."


class SessionSuspended(SessionEnded):
    sentence = "An administrator suspended this account, and this session ended with it. Ask the administrator."


class SessionLocked(NotAuthentic):
    title = "Session locked"
    sentence = "Enter your password to go on."


class InvalidToken(NotAuthentic):
    title = "Invalid token"
    sentence = "This System Access Token is unknown: it was revoked, or a newer one took its place."


class InvalidApiKey(NotAuthentic):
    title = "Invalid API key"
    sentence = "This API key is unknown, has expired or was revoked."


class PasskeyRefused(NotAuthentic):
    title = "Passkey refused"
    sentence = "The passkey was not accepted. Start again."


class ClonedPasskey(PasskeyRefused):
    sentence = "The passkey's counter ran backwards, so it may have been copied. It was refused; remove it."


class IdentityRefused(NotAuthentic):
    title = "Identity refused"
    sentence = "The provider's answer could not be verified. Start again."


# -- permission ------------------------------------------------------------------------------------------------


class NotAllowed(GatekeyError):
    title = "Not allowed"


class FreshProofRequired(NotAllowed):
    title = "Confirm it is you"
    sentence = "Confirm your identity again to go on."


class TooManyAttempts(NotAllowed):
    """`retry_after` is the remaining time of the lock, in whole seconds."""

    title = "Please wait"

    def __init__(self, retry_after: timedelta) -> None:
        seconds = max(1, int(retry_after.total_seconds() + 0.999))
        super().__init__(f"Too many attempts. Try again in {seconds} seconds.")
        self.retry_after = timedelta(seconds=seconds)


class FactorDisabled(NotAllowed):
    title = "Too many failed attempts"
    sentence = (
        "This way of signing in was switched off after 100 failures. "
        "Use another one, or ask the administrator to reset it."
    )


class AccountSuspended(NotAllowed):
    """Raised only after a right first factor, token or API key, so that it does not reveal accounts."""

    title = "Access refused"
    sentence = "This account is suspended. Ask the administrator."


class PasswordNeeded(NotAllowed):
    """The password is needed to check the site's minimum length."""

    title = "Your password is needed"
    sentence = "Enter your password, so that its length can be checked."


class DisabledByAdministrator(NotAllowed):
    title = "Switched off"
    sentence = "The administrator has disabled this."


class PasskeysDisabled(DisabledByAdministrator):
    title = "Passkey Login"
    sentence = "Administrator has not enabled Passkey login"


class BindingsDisabled(DisabledByAdministrator):
    title = "Account Binding"
    sentence = "Account bindings are disabled by the administrator."


class FilesOff(DisabledByAdministrator):
    title = "Files are off"
    sentence = "The administrator has switched files off here (--no-files). Nothing was written; copying works."


class LastCredential(NotAllowed):
    title = "This is your last way to sign in"
    sentence = "Add a password, a passkey or another binding first."


class LastAdministrator(NotAllowed):
    title = "The last administrator stays"
    sentence = "Make another account an administrator first."


class RootAccount(NotAllowed):
    title = "Nothing was changed"
    sentence = "The root account cannot be deleted."


class UsernameDoesNotMatch(NotAllowed):
    title = "The username does not match"
    sentence = "Enter your username exactly as shown."


class CodeRefused(NotAllowed):
    """A redeem code that is unknown, used, revoked or too old."""

    title = "This code was not accepted"
    sentence = "There is no such code. Compare it with the one you were given, letter by letter."


class ServerRefused(NotAllowed):
    """The server of an account that is elsewhere refused an act. `code` is its code for that, or empty.

    The server's own sentence is not kept: it may be in another language, or hold words of its database.
    """

    title = "The server refused this"
    sentence = "The server did not accept this, and nothing was changed."

    def __init__(self, sentence: str | None = None, *, code: str = "", field: str = "") -> None:
        super().__init__(sentence, field=field)
        self.code = code


class NotOnThisServer(NotAllowed):
    title = "This server cannot do that"
    sentence = "This server does not offer it."


class BrowserNeeded(NotOnThisServer):
    title = "This server asks for a browser"
    sentence = "Its sign-in shows a captcha. Sign in with a System Access Token instead, which its web page makes."


class ApiKeyDisabled(NotAllowed):
    title = "Call refused"
    sentence = "This API key is disabled. The owner of the account can enable it again."


class ModelNotAllowed(NotAllowed):
    title = "Model not allowed"

    def __init__(self, model: str) -> None:
        super().__init__(f"This API key may not call the model {model}.")
        self.model = model


class NetworkNotAllowed(NotAllowed):
    title = "Network not allowed"
    sentence = "This API key may not be used from this address."


class RequestRateReached(NotAllowed):
    """`retry_after` is the rest of the minute, in whole seconds."""

    title = "Too many requests"

    def __init__(self, limit: int, retry_after: timedelta) -> None:
        seconds = max(1, int(retry_after.total_seconds() + 0.999))
        allowed = "1 request" if limit == 1 else f"{limit:,} requests"
        wait = "1 second" if seconds == 1 else f"{seconds} seconds"
        super().__init__(f"This API key may make {allowed} per minute, and has made them. Try again in {wait}.")
        self.retry_after = timedelta(seconds=seconds)


class ModelNotPriced(NotAllowed):
    title = "Call refused"

    def __init__(self, model: str, *, is_forbidden: bool = False) -> None:
        """`is_forbidden` is True if the site forbids unpriced models, False if the account does not accept them."""
        why = "the administrator allows none" if is_forbidden else "this account does not accept models"
        super().__init__(f"The model {model} has no price, and {why} without price settings.")
        self.model = model


class QuotaExceeded(NotAllowed):
    title = "Quota used up"
    sentence = "The remaining quota does not cover this request."


class SpendLimitReached(NotAllowed):
    title = "Spend limit reached"
    sentence = "The spend limit of this API key does not cover this request."


# -- existence and conflicts -----------------------------------------------------------------------------------


class NotFound(GatekeyError):
    title = "Not found"


class NoSuchAccount(NotFound):
    sentence = "There is no account of that name."


class NoSuchItem(NotFound):
    sentence = "It is no longer there."


class Conflict(GatekeyError):
    title = "It changed meanwhile"


class NameTaken(Conflict):
    title = "The name is taken"
    sentence = "Another account has this name."


class ModelSpeltOtherwise(Conflict):
    title = "The model has a price under another spelling"

    def __init__(self, spelling: str) -> None:
        super().__init__(
            f"The model {spelling} has a price, and its name differs only by case. Use that spelling, "
            "or remove that price first."
        )


class AlreadyBound(Conflict):
    title = "Nothing was changed"
    sentence = "This identity cannot be bound to this account."


class AlreadyEnabled(Conflict):
    title = "Nothing was changed"
    sentence = "This is already switched on."


class NotEnabled(Conflict):
    title = "Nothing was changed"
    sentence = "This is not switched on."


class AlreadySuspended(Conflict):
    title = "Already suspended"
    sentence = "Nothing was changed."


class NotSuspended(Conflict):
    title = "Not suspended"
    sentence = "There is nothing to resume."


class StepMissing(Conflict):
    title = "A step is missing"
    sentence = "Finish the step before this one first."


class LimitReached(Conflict):
    title = "No more can be added"
    sentence = "Remove one first."


class DrawerFull(LimitReached):
    title = "The drawer is full"
    sentence = "Fetch or remove something first."


class TooLargeForDrawer(LimitReached):
    title = "Too large for the drawer"
    sentence = "The drawer does not take so much in one item."


class StaleEdit(Conflict):
    title = "Not saved"
    sentence = "This was changed somewhere else since you opened it. Nothing was overwritten."


class AlreadySettled(Conflict):
    title = "Nothing was changed"
    sentence = "This reservation was settled before."


# -- other servers ---------------------------------------------------------------------------------------------


class GatewayError(GatekeyError):
    title = "The other side failed"


class DeliveryFailed(GatewayError):
    """`retry_after` is the receiver's request; `permanent` is True if a retry cannot succeed."""

    title = "Not delivered"
    sentence = "The receiver did not take the notification."

    def __init__(
        self, sentence: str | None = None, *, retry_after: timedelta | None = None, permanent: bool = False
    ) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.permanent = permanent


class ProviderFailed(GatewayError):
    title = "The provider did not answer"
    sentence = "The identity provider could not be reached. Try again in a moment."


class UpstreamFailed(GatewayError):
    title = "The model server did not answer"
    sentence = "The model server could not be reached."


class QuestionRefused(GatewayError):
    """The gateway or the model server refused a question of the playground."""

    title = "The question was refused"
    sentence = "The question was not answered. Change it, or try again in a moment."


class AddressRefused(GatewayError):
    title = "Address not allowed"
    sentence = "This address lies in a private network. The administrator can allow it by host and port."


class HostKeyUnusable(GatewayError):
    title = "The host key cannot be used"
    sentence = "The host key of the SSH server could not be read. Name another file with --host-key."


class CannotListen(GatewayError):
    title = "The gateway cannot start"
    sentence = "The address is in use or not this machine's. Choose another with --host or --port."


class TracesMissing(GatewayError):
    title = "The gateway cannot start"
    sentence = (
        "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and what sends them is not installed: install gatekey[otel], or "
        "requirements-otel.lock."
    )


# -- output ----------------------------------------------------------------------------------------------------


class OutputFailed(GatekeyError):
    title = "The output was lost"
    sentence = "Standard output could not be written. What the command did before is kept."


# -- data ------------------------------------------------------------------------------------------------------


class StoreUnavailable(GatekeyError):
    title = "The data cannot be reached"


class DatabaseBusy(StoreUnavailable):
    title = "The database is busy"
    sentence = "Another program is writing to the database. Nothing was changed; try again."


class FirstRunOvertaken(DatabaseBusy):
    title = "Another first run was quicker"
    sentence = "Another command made the database at this moment, and this one did nothing. Try again."


class DatabaseFull(StoreUnavailable):
    title = "The disk is full"
    sentence = "There is no space left to save this. Nothing was changed; free some space and try again."


class DatabaseReadOnly(StoreUnavailable):
    title = "The database is read-only"
    sentence = "The database cannot be written to. Nothing was changed; check the permissions of its folder."


class DatabaseUnreachable(StoreUnavailable):
    title = "The database does not answer"
    sentence = "The database could not be reached. Nothing was changed; check that it is running and try again."


class DatabaseAccessDenied(DatabaseUnreachable):
    title = "The database does not let Gatekey in"
    sentence = "The database refused this user. Check the database address and the rights of its user."


class DatabaseNotUtf8(StoreUnavailable):
    title = "The database does not keep UTF-8"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"This PostgreSQL database keeps text as {encoding}, not as UTF8. Make another with "
            "createdb -T template0 -E UTF8 -l C NAME, and name it with --database."
        )
        self.encoding = encoding


class DatabaseForeign(StoreUnavailable):
    title = "Not a Gatekey database"
    sentence = "This file or database belongs to another program. Choose another with --database."


class DatabaseMissing(StoreUnavailable):
    title = "There is no database yet"
    sentence = "Run gatekey once to create it, or name another with --database."


class DatabaseDamaged(StoreUnavailable):
    title = "The data cannot be read"
    sentence = "The database file is damaged. Restore it from a backup."


class DatabaseExposed(StoreUnavailable):
    title = "Other users can read the database"
    sentence = "The database or its folder is open to other users. Run chmod 600 on the file and 700 on its folder."


class DatabaseOnNetwork(StoreUnavailable):
    title = "The database lies on a network drive"
    sentence = "SQLite cannot lock a file on a network drive safely. Move it to a local disk, or use PostgreSQL."


class DatabaseRefused(StoreUnavailable):
    title = "Not done"
    sentence = "The database refused this change. Nothing was changed."


class DatabaseInUse(StoreUnavailable):
    title = "There is data already"
    sentence = "This database holds data. To put the backup in its place, add --replace. Nothing was changed."


class BackupRefused(StoreUnavailable):
    title = "This backup cannot be restored"
    sentence = "The file is not a backup that Gatekey made."


class SchemaTooOld(StoreUnavailable):
    title = "The database needs an upgrade"
    sentence = "This database was made by an older Gatekey. Run: gatekey admin upgrade"


class SchemaTooNew(StoreUnavailable):
    title = "The database is newer than this program"
    sentence = "This database was made by a newer Gatekey. Install that version, or open another database."


class KeyMissing(StoreUnavailable):
    title = "The secrets cannot be read"
    sentence = "The key that protects stored secrets is missing. Point --key-file or GATEKEY_KEY_FILE at it."


class KeyNotMade(KeyMissing):
    title = "Gatekey could not begin"
    sentence = "The file of the key that protects stored secrets could not be created. Nothing was changed."


class KeyWrong(StoreUnavailable):
    title = "The key does not fit"
    sentence = "The key file belongs to another database. Point --key-file or GATEKEY_KEY_FILE at the right one."


class KeyExposed(StoreUnavailable):
    title = "Other users can read the key"
    sentence = "The key file is open to other users. Run chmod 600 on it."


class ServerFailed(StoreUnavailable):
    title = "The server failed"
    sentence = "The server had a fault of its own. Try again in a moment."


class ServerUnreachable(ServerFailed):
    title = "The server does not answer"
    sentence = "The server could not be reached. Check its address and your connection."


class CertificateRefused(ServerUnreachable):
    title = "The server's certificate was not accepted"
    sentence = "The certificate could not be verified, so nothing was sent. Ask whoever runs the server."


class AnswerUnreadable(ServerFailed):
    title = "The answer cannot be read"
    sentence = "The server's answer is not what it should be, and was not used."


class NotANewApi(AnswerUnreadable):
    title = "This is no New API server"
    sentence = "Something else answers at this address. Check it."


class AnswerLost(ServerFailed):
    title = "The answer did not arrive"
    sentence = "The change may have been made all the same. Look at it before you try again."


class ServerRateLimited(ServerFailed):
    title = "The server asks to wait"
    sentence = "The server refuses requests for a while, because there were too many. Try again later."


class SaveInterrupted(ServerFailed):
    title = "Saved in part"
    sentence = "The server took a part of it. What is missing is sent again with the next save."


class ClockWentBack(StoreUnavailable):
    title = "The clock went back"
    sentence = "The system clock is behind the last recorded action. Correct the clock, then try again."

"""Every action that has a key: its id in keys.toml, its default keys, and the place where it works.

A test compares the table with the bindings in the code. It is separate from them because keys.toml is read before any
screen is imported, and by `gatekey doctor`, which imports none. docs/keys.md is generated from it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple


class KeyedAction(NamedTuple):
    """`place` is a name of `_TABLE`; `keys` are the defaults, as Textual names them."""

    id: str
    keys: frozenset[str]
    place: str
    first_key: str
    """The default key that is shown where there is room for one."""


EVERYWHERE: Final = "everywhere"
_ENCLOSING: Final = {
    "page": (EVERYWHERE,),
    "rows": (
        *("settings", "page", "modal", "list", "passkey-list", "ssh-key-list", "drawer-list", "two-factor"),
        *("shown-once", "codes", "in-drawer"),
        *("conflict", "delete", "proof", "confirm", "choice", "help", EVERYWHERE),
    ),
    "settings": ("page", EVERYWHERE),
    "module": ("page", EVERYWHERE),
    "message": ("module", "page", EVERYWHERE),
    "link-list": ("module", "page", EVERYWHERE),
    "sign-in": ("page", EVERYWHERE),
    "entry": ("page", EVERYWHERE),
    "passwords": ("sign-in", "entry", "page", "modal", "proof", EVERYWHERE),
    "filter": (EVERYWHERE,),
    "modal": (EVERYWHERE,),
    "list": ("modal", EVERYWHERE),
    "passkey-list": ("modal", EVERYWHERE),
    "ssh-key-list": ("modal", EVERYWHERE),
    "drawer-list": ("modal", EVERYWHERE),
    "in-drawer": ("modal", EVERYWHERE),
    "two-factor": ("modal", EVERYWHERE),
    "shown-once": ("modal", EVERYWHERE),
    "codes": ("modal", EVERYWHERE),
    "in-browser": ("modal", EVERYWHERE),
    "use-key": ("modal", EVERYWHERE),
    "option-row": ("use-key", "modal", EVERYWHERE),
    "conflict": ("modal", EVERYWHERE),
    "choice-row": ("conflict", "modal", EVERYWHERE),
    "delete": ("modal", EVERYWHERE),
    "proof": ("modal", EVERYWHERE),
}
"""The places that enclose a place: their actions work in it too. EVERYWHERE encloses any other place."""
_TABLE: Final = """\
everywhere    app.quit                  ctrl+q
everywhere    app.palette               ctrl+p
everywhere    app.lock                  ctrl+l
everywhere    app.suspend               ctrl+z
everywhere    button.press              enter
page          app.help                  f1 question_mark
page          console.sidebar           f2
page          console.checks            r
rows          rows.up                   up k
rows          rows.down                 down j
rows          rows.left                 left
rows          rows.right                right
settings      tab.save                  ctrl+s
settings      tab.discard               u
settings      tab.test                  T
settings      tab.reset                 R
settings      webhook.generate          ctrl+g
settings      tab.previous              left_square_bracket ctrl+pageup
settings      tab.next                  right_square_bracket ctrl+pagedown
settings      tab.leave-field           escape
settings      tab.refresh               ctrl+r f5
settings      tab.account-binding       1
settings      tab.security              2
settings      tab.notifications         3
settings      tab.price                 4
settings      tab.privacy               5
settings      tab.sidebar               6
settings      security.token            t
settings      security.revoke_token     v
settings      security.password         p
settings      security.passkeys         y
settings      security.ssh_keys         h
settings      security.two_factor       f
settings      security.sessions         s
settings      security.sign_out_others  o
settings      security.activity         a
settings      security.drawer           w
settings      security.export           e
settings      security.delete           x
settings      account-binding.bind      b
settings      account-binding.unbind    d
tabs          tabs.left                 left
tabs          tabs.right                right
tabs          tabs.open                 enter
toggle        toggle.switch             space enter
toggle        channel.enter             enter
secret        secret.clear              ctrl+x
module        module.refresh            ctrl+r f5
module        log.filter                slash
module        log.export                e
module        log.show-all              escape
filter        log.apply-filter          enter
filter        log.complete-filter       tab
filter        log.close-filter          escape
modal         log-details.copy          y
modal         log-details.copy-all      a
modal         log-export.format         ctrl+t
module        api-keys.create           n
module        api-keys.edit             enter
module        api-keys.disable          d
module        api-keys.rotate           o
module        api-keys.revoke           x
module        api-keys.use              y
module        api-keys.hide             h
module        playground.stop           escape
module        playground.leave          escape
module        playground.model          m
module        playground.payer          a
module        playground.options        o
module        playground.copy           y
module        playground.save           w
module        playground.clear          ctrl+n
module        playground.price          p
module        playground.write          i enter
message       message.send              enter
message       message.new-line          ctrl+j shift+enter
module        overview.range            d
link-list     link-list.open            enter
link-list     link-list.up              up k
link-list     link-list.down            down j
module        wallet.redeem             r
module        wallet.prices             p
module        wallet.ledger             p
module        wallet.export             e
module        wallet.find               slash
table         table.first               home g
table         table.last                end G
table         table.up                  up k
table         table.down                down j
table         table.page-up             pageup
table         table.page-down           pagedown
table         table.open                enter
table         table.copy                y
table         table.refresh             ctrl+r f5
sidebar       sidebar.up                up k
sidebar       sidebar.down              down j
sidebar       sidebar.first             home g
sidebar       sidebar.last              end G
sidebar       sidebar.close             escape
sidebar       sidebar.open              enter space
sign-in       lock.sign-out             escape
entry         sign-in.passkey           f3
entry         sign-in.provider-1        f4
entry         sign-in.provider-2        f5
entry         sign-in.provider-3        f6
entry         sign-in.provider-4        f7
entry         sign-in.provider-5        f8
entry         sign-in.create-account    ctrl+n
entry         sign-in.again             escape
passwords     secret.show               ctrl+v
modal         modal.help                f1 question_mark
modal         modal.cancel              escape
modal         wizard.cancel             escape
modal         wizard.back               ctrl+o
in-browser    in-browser.copy           ctrl+y
codes         codes.copy                ctrl+y c
codes         codes.save                ctrl+s w
codes         codes.reveal              ctrl+r v
codes         codes.stored              s
list          sessions.end              e
list          sessions.end-others       o
modal         activity.filter           slash
modal         choose.up                 up
modal         choose.down               down
passkey-list  passkeys.register         n
passkey-list  passkeys.rename           e
passkey-list  passkeys.remove           d
ssh-key-list  ssh-keys.add              n
ssh-key-list  ssh-keys.rename           e
ssh-key-list  ssh-keys.remove           d
drawer-list   drawer.copy               c
drawer-list   drawer.remove             d
in-drawer     in-drawer.copy            c
two-factor    two-factor.renew          n
two-factor    two-factor.disable        d
shown-once    secret.flip               space enter
shown-once    secret.copy               c
shown-once    secret.save               w
use-key       use-key.copy              c
use-key       use-key.save              w
option-row    option-row.turn           space
option-row    option-row.left           left
option-row    option-row.right          right
conflict      conflict.theirs           t
conflict      conflict.save             ctrl+s
choice-row    choice-row.switch         space enter
choice-row    choice-row.left           left
choice-row    choice-row.right          right
delete        delete.export             e
proof         proof.passkey             f3
confirm       confirm.help              f1 question_mark
confirm       confirm.yes               y
confirm       confirm.no                n escape
choice        choice.help               f1 question_mark
choice        choice.save               s
choice        choice.discard            d
choice        choice.stay               escape
help          help.close                escape f1 question_mark q
palette       palette.up                up
palette       palette.down              down
palette       palette.close             escape
palette       palette.help              f1
"""
_RESERVED_KEYS: Final = {"tab": "going on", "shift+tab": "going back"}
"""Keys that cannot be assigned, and their use."""
_PASSES_ON: Final = {"log.complete-filter": "tab"}
"""An action that has a reserved key, and does what the key does elsewhere when there is nothing to complete."""


def _read_table() -> Iterator[tuple[str, KeyedAction]]:
    for line in _TABLE.splitlines():
        place, name, *keys = line.split()
        yield name, KeyedAction(name, frozenset(keys), place, keys[0])


ACTIONS: Final[Mapping[str, KeyedAction]] = dict(_read_table())
"""By id, in the order of the table."""


def clash(name: str, key: str, chosen: Mapping[str, frozenset[str]]) -> str:
    """The id of another action, or the reserved use, that `key` has where action `name` works; empty if there is none.

    `chosen` is the person's keys by id. Actions that share a default key, such as two that refresh, may share any key.
    """
    if key in _RESERVED_KEYS and _PASSES_ON.get(name) != key:
        return _RESERVED_KEYS[key]
    action = ACTIONS[name]
    for other in ACTIONS.values():
        if other.id == name or other.keys & action.keys or not _meet(action.place, other.place):
            continue
        if key in chosen.get(other.id, other.keys):
            return other.id
    return ""


def _meet(place: str, other: str) -> bool:
    return place == other or other in _around(place) or place in _around(other)


def _around(place: str) -> tuple[str, ...]:
    return _ENCLOSING.get(place, (EVERYWHERE,)) if place != EVERYWHERE else ()

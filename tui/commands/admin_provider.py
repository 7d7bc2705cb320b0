"""`gatekey admin provider`: the identity providers."""

import argparse

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands, add_list
from tui.store_location import Options, open_account_store


def add(commands: Commands) -> None:
    parser = commands.add_parser("provider", help="add, list and remove identity providers")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    new = actions.add_parser("add", help="add a provider")
    new.add_argument("slug", metavar="SLUG", help="short name for addresses: a-z, 0-9 and -")
    new.add_argument("--name", metavar="NAME", required=True, help="the name people see")
    kind = new.add_mutually_exclusive_group(required=True)
    kind.add_argument("--issuer", metavar="URL", help="the issuer of an OpenID Connect provider")
    kind.add_argument("--github", action="store_true", help="GitHub")
    new.add_argument("--client-id", metavar="ID", required=True)
    new.add_argument("--client-secret-stdin", action="store_true", help="read the client secret from standard input")
    new.set_defaults(run=run_add)

    add_list(actions, "provider", run_list)

    remove = actions.add_parser("remove", help="remove a provider and every identity bound through it")
    remove.add_argument("slug", metavar="SLUG")
    remove.set_defaults(run=run_remove)


def run_add(arguments: argparse.Namespace, options: Options) -> int:
    from store.values.bindings import ProviderKind

    secret = streams.read_secret("client secret") if arguments.client_secret_stdin else None
    with open_account_store(options, create=False) as store:
        provider = store.bindings.add_provider(
            arguments.slug,
            arguments.name,
            ProviderKind.GITHUB if arguments.github else ProviderKind.OIDC,
            issuer=arguments.issuer or "",
            client_id=arguments.client_id,
            client_secret=secret,
            actor=actor(),
        )
        is_enabled = store.bindings.is_enabled()
    streams.print_status(f"Added {provider.name} ({provider.slug}).")
    if not is_enabled:
        streams.print_status("Nobody can use it yet. Run: gatekey admin site set account_binding.enabled true")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        providers = store.bindings.providers()
    rows = [(p.slug, p.name, p.kind.value, p.issuer, p.client_id) for p in providers]
    if arguments.json:
        keys = ("slug", "name", "kind", "issuer", "client_id")
        streams.print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return 0
    streams.print_table(("SLUG", "NAME", "KIND", "ISSUER", "CLIENT ID"), rows)
    return 0


def run_remove(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        store.bindings.remove_provider(arguments.slug, actor=actor())
    streams.print_status(f"Removed {arguments.slug}, and the identities that were bound through it.")
    return 0

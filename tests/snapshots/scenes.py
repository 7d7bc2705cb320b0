"""Stores and steps that pictures of several files share."""

import random
from dataclasses import replace
from datetime import timedelta

from store.passkeys import NewCredential
from store.sections import Channel, NotificationSettings, PriceSettings, PrivacySettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits, LimitPeriod
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.consoles import Stage
from tests.harness.quota_calls import book_call, hold_quota, spend_quota
from tests.harness.ssh_keys import public_key
from tests.harness.stores import START, StillClock, add_account, make_store, sign_in, still_clock, store_with_account


def busy_store() -> Store:
    store = make_store()
    account = add_account(store)
    store.pricing.set(ModelPrice("gpt-5-mini", 250_000, 2_000_000))
    token = sign_in(store)
    store.api_keys.create(token, "build server")
    store.api_keys.create(token, "notebook", ApiKeyLimits(spend_limit_micro_usd=5_000_000))
    for kind in Kind:
        for number in range(3):
            store.context.clock.advance(hours=5)  # type: ignore[attr-defined] # the still clock of the tests
            entry = UsageEntry(
                kind, "gpt-5-mini", "build server", prompt_tokens=900 * number, cost_micro_usd=1234 * (number + 1)
            )
            store.usage.record(account.id, entry)
    return store


def spent_store() -> Store:
    """Seven weeks of calls with three keys, some of which failed, and every kind of change of the balance."""
    store = make_store()
    account = add_account(store, quota_usd=25)
    clock = still_clock(store)
    draw = random.Random(5)
    models = (("claude-sonnet-4-5", 3_000_000, 15_000_000), ("gpt-5-mini", 250_000, 2_000_000), ("deepseek-chat", 1, 9))
    for model, per_in, per_out in models:
        store.pricing.set(ModelPrice(model, per_in, per_out, cached_input_per_million=per_in // 10))
    clock.advance(days=-49)
    for day in range(49):
        for _ in range(draw.randrange(0, 6)):
            model, per_in, per_out = draw.choice(models)
            tokens_in, tokens_out = draw.randrange(400, 20_000), draw.randrange(50, 4_000)
            cost = ModelPrice(model, per_in, per_out).cost(tokens_in, tokens_out)
            entry = UsageEntry(
                Kind.CONSUMPTION,
                model,
                draw.choice(("notebook", "build", "nightly report")),
                request_id=f"req_{draw.randrange(16**8):08x}",
                prompt_tokens=tokens_in,
                completion_tokens=tokens_out,
                duration_ms=draw.randrange(300, 9000),
            )
            book_call(store, hold_quota(store, account.id, cost), cost, entry)
            clock.advance(minutes=draw.randrange(1, 90))
        if day % 9 == 4:
            failed = UsageEntry(
                Kind.ERROR,
                "gpt-5-mini",
                "notebook",
                status="503",
                detail="The model server could not be reached.",
                duration_ms=2100,
            )
            store.usage.record(account.id, failed)
        clock.time = clock.time.replace(hour=9, minute=0) + timedelta(days=1)
    clock.time = START
    (code,) = store.redeem_codes.create(2_500_000, 1, note="spring offer", actor="unix:root")
    store.quota.adjust("alice", add=5_000_000, reason="monthly budget", actor="unix:root")
    store.redeem_codes.redeem_for(account.id, "alice", code.code, actor="alice")
    hold_quota(store, account.id, 40_000)
    store.api_keys.create(sign_in(store), "notebook")
    return store


def logged_store() -> Store:
    """An account with 300 calls of every kind, their prices of the time, and addresses of the later ones."""
    store = make_store()
    account = add_account(store)
    clock: StillClock = store.context.clock  # type: ignore[assignment] # that of the tests
    prices = (
        ModelPrice("claude-sonnet-4-5", 3_000_000, 15_000_000, cached_input_per_million=300_000),
        ModelPrice("gpt-5-mini", 250_000, 2_000_000),
        ModelPrice("organisation/long-named-model-2026-preview", 1_000_000, 4_000_000),
    )
    keys = ("notebook", "build", "nightly")
    for number in range(300):
        clock.advance(minutes=7)
        price = prices[number % 3]
        entry = UsageEntry(
            Kind.CONSUMPTION,
            price.model,
            api_key_name=keys[number % 2],
            request_id=f"req_{number:08x}",
            prompt_tokens=1800 + 17 * number,
            completion_tokens=381 + number,
            cached_tokens=1024 if number % 4 == 0 else 0,
            duration_ms=300 + 37 * number,
            client_ip="10.0.0.4" if number % 2 else "2001:db8::7f3a",
            price=price,
        )
        cost = price.cost(entry.prompt_tokens, entry.completion_tokens, entry.cached_tokens)
        entry = entry._replace(cost_micro_usd=cost)
        if number == 250:
            token = sign_in(store)
            privacy = store.settings.load(token, PrivacySettings)
            store.settings.save(token, PrivacySettings(True), privacy.version)
        if number % 9 == 8:
            detail = "The model server could not be reached. Try again later."
            entry = UsageEntry(
                Kind.ERROR,
                price.model,
                keys[0],
                f"req_{number:08x}",
                "503",
                detail,
                duration_ms=5012,
                client_ip="10.0.0.4",
            )
        elif number % 25 == 24:
            image = ModelPrice("gpt-image-1", 5_000_000, 0, per_request=40_000)
            entry = UsageEntry(
                Kind.DRAWING,
                image.model,
                keys[0],
                f"req_{number:08x}",
                prompt_tokens=31,
                cost_micro_usd=80_155,
                duration_ms=61_400,
                images=2,
                image_size="1024x1024",
                price=image,
            )
        elif number % 40 == 39:
            entry = UsageEntry(
                Kind.TASK, "batch", keys[2], f"batch_{number:024x}", "in_progress", task_done=number, task_total=400
            )
        store.usage.record(account.id, entry)
    return store


def notified_store() -> Store:
    """Two channels on: an e-mail that was sent, and a webhook that answered 404 and is tried again."""
    store = make_store()
    account = add_account(store)
    saved = store.settings.load_for(account.id, NotificationSettings)
    section = replace(
        saved.section,
        webhook_on=True,
        webhook_url="https://hooks.example.com/quota",
        webhook_secret=saved.section.webhook_secret.replaced("whsec_cGxhbnRlZC13ZWJob29rLXNlY3JldC0wMQ=="),
    )
    store.settings.save_for(account.id, section, saved.version, actor="test")
    spend_quota(store, account.id, 4_100_000)
    for job in store.outbox.lease():
        if job.channel is Channel.EMAIL:
            store.outbox.delivered(job)
        else:
            next_at = store.context.now() + timedelta(hours=3, minutes=8)
            store.outbox.failed(job, "hooks.example.com answered 404 Not Found.", next_at)
    store.context.clock.advance(hours=3)  # type: ignore[attr-defined] # the still clock of the tests
    return store


def passkey_store() -> Store:
    store = store_with_account()
    store.site.set("passkeys.enabled", "true")
    store.site.set("passkeys.rp_id", "localhost")
    store.site.set("passkeys.origin", "http://localhost:8787")
    token = sign_in(store)
    for name in ("laptop", "blue key"):
        store.passkeys.add(token, name, NewCredential(name.encode(), b"key", 0, "", (), True))
    return store


def drawer_store() -> Store:
    """A drawer with three items."""
    store = store_with_account()
    token = sign_in(store)
    clock = still_clock(store)
    for name, size in (("export.json", 2_345_678), ("usage-logs.csv", 34_567), ("backup-codes.txt", 120)):
        store.drawer.put(token, name, bytes(size))
        clock.advance(seconds=30)
    return store


def ssh_key_store() -> Store:
    """Two SSH keys: one used this morning, one never."""
    store = store_with_account()
    token = sign_in(store)
    laptop = store.ssh_keys.add(token, public_key(1, "alice@laptop"), "")
    store.ssh_keys.add(token, public_key(2), "the machine in the workshop")
    store.sign_in.with_ssh_key(laptop.fingerprint, "alice", source="ssh 192.0.2.7 pts/4")
    store.context.clock.advance(hours=2)  # type: ignore[attr-defined] # the still clock of the tests
    return store


def keyed_store() -> Store:
    """Keys in every state: limited, nearly spent, used up, expiring, disabled, rotated, expired and revoked."""
    store = make_store()
    account = add_account(store, quota_usd=50)
    token = sign_in(store)
    privacy = store.settings.load(token, PrivacySettings)
    store.settings.save(token, PrivacySettings(True), privacy.version)
    store.site.set("public_url", "https://gateway.example.com")
    store.pricing.set(ModelPrice("gpt-5-mini", 250_000, 2_000_000))
    clock = store.context.clock
    now = store.context.now()
    monthly = ApiKeyLimits(spend_limit_micro_usd=5_000_000, limit_period=LimitPeriod.MONTHLY)
    build = ApiKeyLimits(
        spend_limit_micro_usd=10_000_000,
        allowed_models=("gpt-5-mini", "deepseek-chat"),
        allowed_networks=("10.0.0.0/24", "2001:db8::/32"),
        requests_per_minute=60,
    )
    kept = {
        "notebook": (monthly, 3_100_000),
        "build": (build, 9_700_000),
        "nightly": (ApiKeyLimits(spend_limit_micro_usd=1_000_000, limit_period=LimitPeriod.DAILY), 1_000_000),
        "guest": (ApiKeyLimits(expires_at=now + timedelta(days=2, hours=3)), 410_000),
        "phone": (ApiKeyLimits(), 0),
        "trial": (ApiKeyLimits(expires_at=now + timedelta(hours=1)), 20_000),
        "old-laptop": (ApiKeyLimits(), 410_000),
    }
    made = {name: store.api_keys.create(token, name, limits) for name, (limits, _) in kept.items()}
    for name, (_, spent) in kept.items():
        if spent:
            store.api_keys.authenticate(made[name].key, "10.0.0.9")
            book_call(store, hold_quota(store, account.id, spent, api_key_id=made[name].info.id), spent)
    clock.advance(minutes=50)  # type: ignore[attr-defined] # the still clock of the tests
    token = sign_in(store)
    store.api_keys.rotate(token, made["build"].info.id, overlap_minutes=90)
    store.api_keys.disable(token, made["phone"].info.id)
    store.api_keys.revoke(token, made["old-laptop"].info.id)
    clock.advance(minutes=15)  # type: ignore[attr-defined] # the still clock of the tests
    return store


async def begin_ceremony(stage: Stage) -> None:
    """Wait for a browser that does not come; the dialog asks for news of it, and never settles."""
    await stage.press("y", "n")
    await stage.fill("passkey-label", "phone")
    await stage.pilot.press("enter")
    await stage.until(lambda: stage.says("Waiting for your browser: 2:00 left"))
    await stage.pilot.pause()


def used_store() -> Store:
    store = make_store()
    account = add_account(store)
    token = sign_in(store)
    store.access_token.generate(token)
    prices = store.settings.load(token, PriceSettings)
    store.settings.save(token, PriceSettings(True), prices.version)
    privacy = store.settings.load(token, PrivacySettings)
    store.settings.save(token, PrivacySettings(True), privacy.version)
    for number in range(3):
        store.usage.record(account.id, UsageEntry(Kind.CONSUMPTION, f"model-{number}", client_ip="203.0.113.7"))
        store.pricing.admit(account.id, f"unpriced-{number}")
    store.context.clock.advance(hours=2)  # type: ignore[attr-defined] # the still clock of the tests
    return store

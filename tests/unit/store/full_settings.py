"""A notification section in which every field differs from its default."""

from store.secret_fields import StoredSecret
from store.sections import NotificationSettings

WEBHOOK_SECRET = "whsec_cGxhbnRlZC13ZWJob29rLXNlY3JldC0wMQ=="


BARK_URL = "https://api.day.app/plantedDeviceKey"


GOTIFY_TOKEN = "Aplanted-gotify-token"


FULL = NotificationSettings(
    threshold_micro_usd=2_500_000,
    email_on=False,
    email_address="warn@example.com",
    webhook_on=True,
    webhook_url="https://hooks.example.com/gatekey",
    webhook_secret=StoredSecret(new=WEBHOOK_SECRET),
    bark_on=True,
    bark_url=StoredSecret(new=BARK_URL),
    gotify_on=True,
    gotify_url="https://gotify.example.com",
    gotify_token=StoredSecret(new=GOTIFY_TOKEN),
    gotify_priority=8,
)

"""The four notification channels: e-mail, webhook, Bark and Gotify."""

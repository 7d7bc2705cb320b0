"""The four ways a notification reaches its owner: e-mail, webhook, Bark and Gotify."""

"""Stand-ins for what lies outside the product: model servers, identity providers, authenticators, receivers."""

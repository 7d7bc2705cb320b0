"""What a person sees: one file per screen, tab or modal."""

"""Own figures, the community, agreement."""

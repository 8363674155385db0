"""Who gets which task next."""

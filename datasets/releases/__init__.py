"""What goes out: frozen releases, their archives, and recalls."""

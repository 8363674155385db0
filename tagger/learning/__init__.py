"""What is known of a crowd."""

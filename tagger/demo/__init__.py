"""What the demo holds, made on the spot: voices, noises and the words they say."""

"""Demo data, made on this machine: synthesised voices, noises, and the words they say."""

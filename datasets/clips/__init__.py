"""A recording comes in and is heard."""

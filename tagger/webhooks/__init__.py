"""An owner's page for the webhooks of a campaign, and what they are told of its progress."""

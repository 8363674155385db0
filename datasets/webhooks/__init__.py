"""Messages to servers that a campaign's owner named: what is sent, where to, and that it arrives."""

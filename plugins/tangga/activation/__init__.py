"""From published audiences to the email tool: what should be sent, and that it was."""

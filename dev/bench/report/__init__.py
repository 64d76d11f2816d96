"""What was measured, kept as figures and shown as a page."""

"""One application for each line of the checklist."""

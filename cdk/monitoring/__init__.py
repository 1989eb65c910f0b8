"""What tells somebody, or shows, how the workflow does."""

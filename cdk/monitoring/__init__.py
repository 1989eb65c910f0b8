"""The dashboard, and who is notified when an execution fails."""

"""Makes the target equal: writes rows, and handles what would interfere with the writing."""

"""The infrastructure: a construct for each capability, and the settings that they take."""

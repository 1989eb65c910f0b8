"""WriteReport: a page about each execution, for whoever asks whether staging can be trusted."""

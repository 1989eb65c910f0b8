"""The subcommand mask-plan: proposes masks for a source by its catalog and a sample of its rows."""

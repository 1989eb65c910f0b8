"""The workflow's definition, and what starts and follows its executions, here or on AWS."""

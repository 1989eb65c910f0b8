"""What the Lambdas leave in the bucket about a run, as they write it and WriteReport reads it."""

"""What cdk.json may say: the settings, their values, and the rules between them."""

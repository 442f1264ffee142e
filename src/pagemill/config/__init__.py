"""What a user configures: the models, and reading them from YAML and the environment."""

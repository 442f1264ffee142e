"""What `pagemill check` looks at."""

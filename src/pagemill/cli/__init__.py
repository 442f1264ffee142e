"""The commands. They read arguments, call one thing and print; whatever decides lives below."""

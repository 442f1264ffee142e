"""Numbers as people write them: `number_text.read_number`."""

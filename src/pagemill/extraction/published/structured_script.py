"""The script that reads what a document publishes for search engines, with the words that it knows."""

from __future__ import annotations

from pagemill.extraction.published.schema_words import PRODUCT_TYPES, PROPERTIES
from pagemill.script_files import read_page_script

STRUCTURED = (
    read_page_script(__file__, "structured_script.js")
    .replace("PRODUCT_TYPES", "|".join(PRODUCT_TYPES))
    .replace("PROPERTIES", "|".join(PROPERTIES))
)
"""See its file. Its expressions name the lists of words; here the words are put in."""

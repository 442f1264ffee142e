"""What pages publish for search engines, as facts of the page's own product: `schema_product.standard_facts`."""

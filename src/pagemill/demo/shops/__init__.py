"""Practice forms of six real shops, at loopback addresses of their own. Facts and words: docs/storefront.md."""

"""Six real shops' forms of page and answer, at loopback addresses of their own. Facts and words: docs/storefront.md."""

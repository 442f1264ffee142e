"""From a few product pages to a platform's file: what was seen, where each fact may stand, which place is trusted."""

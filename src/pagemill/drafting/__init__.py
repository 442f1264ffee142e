"""Drafts a platform's file from a few product pages: finds all places of each fact, and chooses those to trust."""

"""Figures of the whole fleet: sums, curves, trends, health and advice. All pure."""

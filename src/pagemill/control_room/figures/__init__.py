"""Figures of the whole fleet: sums, curves, trends, its health, advice. All pure."""

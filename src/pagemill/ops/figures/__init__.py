"""What the fleet's picture comes to: sums, curves, trends, a word for its health, advice. All pure."""

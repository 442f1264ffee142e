"""The fleet as an operator sees it: what workers publish, what queues hold, whether a machine is fit."""

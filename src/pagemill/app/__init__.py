"""Composition root: builds the parts of a process in order and closes them in reverse. Contains no other logic."""

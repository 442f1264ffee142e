"""The control API: who may do what, how every answer looks, and the application that routes are added to."""

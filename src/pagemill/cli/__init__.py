"""The commands. They read arguments, call one thing and print; decisions are made in other rooms.

Each process of the command line imports this first, and so does a supervisor's child. A user's own program does not.
"""

from pagemill.telemetry import bare_structlog as bare_structlog

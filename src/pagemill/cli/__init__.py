"""The commands. They read arguments, call one thing and print; whatever decides lives below.

Each process of the command line imports this first, a supervisor's child too; a program of a user's own does not.
"""

from pagemill.telemetry import bare_structlog as bare_structlog

"""`python -m pagemill`."""

from pagemill.cli.main import run

if __name__ == "__main__":
    run()

"""`python -m collector`: the command-line program, where no script of that name is installed."""

from collector.cli import main

if __name__ == "__main__":
    main()

"""``python -m sartor``, and the command ``sartor``."""

from sartor.cli.app import main

if __name__ == "__main__":
    main()

"""`python -m flowstrand.cli`."""

from flowstrand.cli.program import main

main()

"""`python -m mis_connectors.simulators integris --port 9101`."""

from mis_connectors.simulators.running import main

raise SystemExit(main())

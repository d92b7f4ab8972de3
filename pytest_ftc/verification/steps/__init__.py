"""The steps of a verification between its plan and its record: the builds are judged, and differences explained."""

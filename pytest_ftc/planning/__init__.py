"""Which builds to run, and in which environments.  Pure: nothing here touches the machine."""

"""The contacts of a build with processes of the machine, which no variation affects."""

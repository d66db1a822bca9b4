"""Records that become one and two again, and connections that end."""

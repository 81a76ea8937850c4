"""Arrays of Python in shared memory: the part of the kernel that is loaded when one is met."""

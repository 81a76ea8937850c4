// Maps segments of shared memory for Node: an addon over N-API, built with cc where it is first needed.

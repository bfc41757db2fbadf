"""One training on several devices: GPUs of one machine, or machines of a cluster."""

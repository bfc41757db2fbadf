"""What goes beyond a plain DCGAN: labels, other losses and layers, a toy in the plane."""

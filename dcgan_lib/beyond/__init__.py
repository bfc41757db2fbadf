"""What goes beyond a plain DCGAN: labels, a penalty, other layers, a toy in the plane."""

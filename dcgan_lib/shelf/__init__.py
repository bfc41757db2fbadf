"""What comes ready-made with the package: trained generators and published studies."""

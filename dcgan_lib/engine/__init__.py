"""How a step is computed, never what: faster forms of some layers."""

"""snstdp: spiking networks that learn with self-normalizing STDP, on Brian 2."""

__version__ = "0.2.0"

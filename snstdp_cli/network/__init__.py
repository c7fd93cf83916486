"""The network: its constants and equations, the presentation of images, its connections, and the one shared builder.

`neurons`, `integration`, `protocol`, `names` and `wiring` are text and numbers and do not import Brian 2, so
that a compiled program runs without it. `randomness`, `presentation`, `rest`, `inhibition` and `builder` make
Brian 2 objects.
"""

"""The network: its equations, the presentation of images, its connections, and the one shared builder."""

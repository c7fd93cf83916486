"""This machine: is it fit (`doctor`), and how fast is it (`bench`)."""

"""Studies: many experiments from one file, with statistics over seeds."""

"""The composition root: the only place that names concrete engines and drivers, and hands them to the use cases."""

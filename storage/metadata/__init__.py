"""Rows: the `store` contract, the engines that keep it, and one module of portable queries per noun."""

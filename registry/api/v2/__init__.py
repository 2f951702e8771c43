"""The distribution API under `/v2/`: the route table and one module of handlers per noun."""

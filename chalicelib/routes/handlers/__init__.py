"""What answers the endpoints: a module of models and functions for each resource."""

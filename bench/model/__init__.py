"""How good the model is, beside other ways to predict the same."""
